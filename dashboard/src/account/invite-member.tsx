import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { api } from "../api/client.ts";
import { useAging } from "../clock.ts";
import { moment } from "../format.ts";
import { Button } from "../ui/button.tsx";
import { CopyField } from "../ui/copy.tsx";
import { Dialog } from "../ui/dialog.tsx";
import { ErrorLine } from "../ui/states.tsx";

interface Invitation {
  object: "invitation";
  url: string;
  expires: number;
}

/** Creates a one-time link to share with the new member. Mount a new instance for each invitation. */
export function InviteMember() {
  const [open, setOpen] = useState(true);
  const invite = useMutation({ mutationFn: () => api.post<Invitation>("/v1/members"), gcTime: 0 });
  const close = () => {
    setOpen(false);
    invite.reset();
  };
  const created = invite.data;
  return (
    <Dialog
      open={open}
      onClose={close}
      title={created ? "Invitation link" : "Invite member"}
      description={
        created ? (
          <>
            Copy the link now and send it to one person. It is shown only once, works once, and expires{" "}
            <Expiry at={created.expires} />.
          </>
        ) : (
          "New members choose their own name, email, and password, and can view and change everything in this space."
        )
      }
      actions={
        created ? (
          <Button look="ink" onClick={close}>
            Done
          </Button>
        ) : (
          <>
            <Button onClick={close}>Cancel</Button>
            <Button look="ink" busy={invite.isPending} onClick={() => invite.mutate()}>
              Create link
            </Button>
          </>
        )
      }
    >
      {created ? (
        <CopyField text={created.url} label="Copy link" />
      ) : invite.error ? (
        <ErrorLine error={invite.error} />
      ) : undefined}
    </Dialog>
  );
}

function Expiry({ at }: { at: number }) {
  return useAging((now) => moment(at, now));
}
