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

/** No mail is needed: the link is shown this once, to be passed on. Mount it anew for each person. */
export function InviteMember() {
  const [open, setOpen] = useState(true);
  const invite = useMutation({ mutationFn: () => api.post<Invitation>("/v1/members"), gcTime: 0 });
  const close = () => {
    setOpen(false);
    invite.reset();
  };
  const made = invite.data;
  return (
    <Dialog
      open={open}
      onClose={close}
      title={made ? "Send this link to one person" : "Invite a person"}
      description={
        made ? (
          <>
            Copy it now. It is not shown again. It works once, until <Expiry at={made.expires} />.
          </>
        ) : (
          "They choose name, email and password themselves, and then see and change everything in this space."
        )
      }
      actions={
        made ? (
          <Button look="ink" onClick={close}>
            Done
          </Button>
        ) : (
          <>
            <Button onClick={close}>Cancel</Button>
            <Button look="ink" busy={invite.isPending} onClick={() => invite.mutate()}>
              Make a link
            </Button>
          </>
        )
      }
    >
      {made ? (
        <CopyField text={made.url} label="Copy the link" />
      ) : invite.error ? (
        <ErrorLine error={invite.error} />
      ) : undefined}
    </Dialog>
  );
}

function Expiry({ at }: { at: number }) {
  return useAging((now) => moment(at, now));
}
