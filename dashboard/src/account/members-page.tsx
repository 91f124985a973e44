import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Trash2, UserPlus } from "lucide-react";
import { useState } from "react";
import { api } from "../api/client.ts";
import { sessionQuery } from "../api/queries.ts";
import type { Member } from "../api/types.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { Confirm } from "../ui/dialog.tsx";
import { PageHead } from "../ui/page.tsx";
import { ErrorState, SkeletonRows } from "../ui/states.tsx";
import { type Column, Table } from "../ui/table.tsx";
import { Ago } from "../ui/time.tsx";
import { toast } from "../ui/toast.ts";
import { apiKeysQuery, membersQuery } from "./account-queries.ts";
import { InviteMember } from "./invite-member.tsx";

export function MembersPage() {
  const { data: members, error, refetch } = useQuery(membersQuery);
  const { data: session } = useQuery(sessionQuery);
  const [inviting, setInviting] = useState(0);
  const [removing, setRemoving] = useState<Member | null>(null);
  const email = session?.user.email;
  const isOwner = members?.data.some((member) => member.role === "owner" && member.email === email) ?? false;
  return (
    <>
      <PageHead
        title="Members"
        actions={
          isOwner && (
            <Button look="ink" icon={UserPlus} onClick={() => setInviting(inviting + 1)}>
              Invite member
            </Button>
          )
        }
      >
        Members can view and change everything in this space.{" "}
        {isOwner ? "Only you can invite and remove members." : "Only the owner can invite and remove members."}
      </PageHead>
      {members ? (
        <Table label="Members" columns={columns(email, isOwner ? setRemoving : null)} rows={members.data} />
      ) : error ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : (
        <SkeletonRows rows={3} />
      )}
      {inviting > 0 && <InviteMember key={inviting} />}
      <RemoveMember member={removing} onClose={() => setRemoving(null)} />
    </>
  );
}

const roles = { owner: "Owner", member: "Member" };

const columns = (ownEmail: string | undefined, onRemove: ((member: Member) => void) | null): Column<Member>[] => [
  {
    name: "Name",
    width: "minmax(0,2fr)",
    narrow: "title",
    className: "font-medium",
    cell: ({ name, email }) => (
      <>
        {name}
        {email === ownEmail && <span className="font-normal text-text-2"> (you)</span>}
      </>
    ),
  },
  {
    name: "Email",
    width: "minmax(0,3fr)",
    narrow: "detail",
    className: "text-text-2",
    cell: ({ email, role }) => (
      <>
        {email}
        <span className="mid:hidden"> · {roles[role]}</span>
      </>
    ),
  },
  { name: "Role", width: "64px", className: "text-text-2", cell: ({ role }) => roles[role] },
  {
    name: "Joined",
    width: "120px",
    align: "end",
    className: "text-text-2",
    cell: ({ created }) => <Ago at={created} />,
  },
  {
    name: "Remove",
    hideName: true,
    width: "32px",
    align: "end",
    narrow: "actions",
    cell: (member) =>
      onRemove &&
      member.role !== "owner" && (
        <IconButton icon={Trash2} label={`Remove ${member.name}`} onClick={() => onRemove(member)} />
      ),
  },
];

/** Names the API keys that are deleted with the member who created them. */
function CreatedKeys({ by }: { by: string }) {
  const { data: keys } = useQuery(apiKeysQuery);
  const names = keys?.data.filter(({ created_by }) => created_by === by).map(({ name }) => name) ?? [];
  if (names.length === 0) return null;
  return (
    <>
      {names.length === 1 ? "This API key is" : "These API keys are"} deleted, too:{" "}
      <strong className="font-medium">{names.join(", ")}</strong>.
    </>
  );
}

function RemoveMember({ member, onClose }: { member: Member | null; onClose: () => void }) {
  const queries = useQueryClient();
  const [shown, setShown] = useState(member); // keeps the text visible while the dialog fades out
  if (member && member !== shown) setShown(member);
  const remove = useMutation({
    mutationFn: ({ id }: Member) => api.delete(`/v1/members/${id}`),
    onSuccess: async (_, { name }) => {
      await Promise.all([membersQuery, apiKeysQuery].map(({ queryKey }) => queries.invalidateQueries({ queryKey })));
      onClose();
      toast(`${name} removed`);
    },
  });
  if (!shown) return null;
  return (
    <Confirm
      open={member !== null}
      onClose={onClose}
      title={`Remove ${shown.name}?`}
      verb="Remove"
      loss
      busy={remove.isPending}
      error={remove.error}
      onConfirm={() => remove.mutate(shown)}
    >
      {shown.email} can no longer sign in or change anything. <CreatedKeys by={shown.email} /> Everything else they
      created stays.
    </Confirm>
  );
}
