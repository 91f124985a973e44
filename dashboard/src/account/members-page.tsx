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
import { Ago } from "../ui/time.tsx";
import { toast } from "../ui/toast.ts";
import { membersQuery } from "./account-queries.ts";
import { InviteMember } from "./invite-member.tsx";

export function MembersPage() {
  const members = useQuery(membersQuery);
  const { data: session } = useQuery(sessionQuery);
  const [inviting, setInviting] = useState(0);
  const [removing, setRemoving] = useState<Member | null>(null);
  const people = members.data?.data ?? [];
  const owner = people.some(({ email, role }) => role === "owner" && email === session?.user.email);
  return (
    <>
      <PageHead
        title="Members"
        actions={
          owner && (
            <Button look="ink" icon={UserPlus} onClick={() => setInviting(inviting + 1)}>
              Invite
            </Button>
          )
        }
      >
        {owner
          ? "Everyone here sees and changes everything in this space. Only you invite and remove people."
          : "Everyone here sees and changes everything in this space. Only the owner invites and removes people."}
      </PageHead>
      {members.data ? (
        <People people={people} self={session?.user.email} onRemove={owner ? setRemoving : undefined} />
      ) : members.error ? (
        <ErrorState error={members.error} retry={() => void members.refetch()} />
      ) : (
        <SkeletonRows rows={3} height="h-15" />
      )}
      {inviting > 0 && <InviteMember key={inviting} />}
      <RemoveMember member={removing} onClose={() => setRemoving(null)} />
    </>
  );
}

interface PeopleProps {
  people: readonly Member[];
  self: string | undefined;
  onRemove: ((member: Member) => void) | undefined;
}

function People({ people, self, onRemove }: PeopleProps) {
  return (
    <ul aria-label="Members" className="border-t border-line">
      {people.map((member) => {
        const { id, name, email, role, created } = member;
        return (
          <li key={id} className="gutter flex min-h-15 items-center gap-4 border-b border-line py-2">
            <span className="min-w-0 flex-1">
              <span className="block truncate font-medium">
                {name}
                {email === self && <span className="font-normal text-text-2"> (you)</span>}
              </span>
              <span className="block truncate text-text-2">{email}</span>
            </span>
            <span className="w-16 shrink-0 text-text-2">{role === "owner" ? "Owner" : "Member"}</span>
            <span className="w-36 shrink-0 text-right text-text-2 narrow:hidden">
              <Ago at={created} />
            </span>
            <span className="flex w-8 shrink-0 justify-end touch:w-11">
              {onRemove && role !== "owner" && (
                <IconButton icon={Trash2} label={`Remove ${name}`} onClick={() => onRemove(member)} />
              )}
            </span>
          </li>
        );
      })}
    </ul>
  );
}

function RemoveMember({ member, onClose }: { member: Member | null; onClose: () => void }) {
  const queries = useQueryClient();
  const [shown, setShown] = useState(member); // the words stay while the dialog fades
  if (member && member !== shown) setShown(member);
  const remove = useMutation({
    mutationFn: ({ id }: Member) => api.delete(`/v1/members/${id}`),
    onSuccess: async (_, { name }) => {
      await queries.invalidateQueries({ queryKey: membersQuery.queryKey });
      onClose();
      toast(`${name} was removed.`);
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
      {shown.email} is signed out everywhere within a minute and cannot sign in again. What they made stays.
    </Confirm>
  );
}
