import { Type } from "typebox";
import type { ApiKeys } from "../auth/api-keys.ts";
import type { People } from "../auth/people.ts";
import type { Transaction } from "../store/db.ts";
import type { Api } from "./api.ts";
import type { Change } from "./change.ts";
import { deleted } from "./lists.ts";
import { Deleted, ref, text } from "./schemas/common.ts";
import { Invitation, MemberList } from "./schemas/space.ts";

const tags = ["Members"];

/** Adds the routes for members. An invitation is a link that the owner shares, so no mail server is needed. */
export function memberRoutes(
  app: Api,
  { people, apiKeys, change }: { people: People; apiKeys: Pick<ApiKeys, "removeCreatedBy">; change: Change },
): void {
  app.get(
    "/v1/members",
    {
      schema: {
        operationId: "listMembers",
        summary: "List members",
        tags,
        response: { 200: ref(MemberList) },
      },
      config: { access: "person" },
    },
    async ({ who }) => ({
      object: "list" as const,
      data: await people.members.list(who.space),
      has_more: false,
      next: null,
    }),
  );

  app.post(
    "/v1/members",
    {
      schema: {
        operationId: "inviteMember",
        summary: "Invite a member",
        tags,
        response: { 201: ref(Invitation) },
      },
      config: { access: "owner" },
    },
    (request, reply) => {
      return change(request, reply, (tx) => people.invite(tx, request.who.space), {
        status: 201,
        audit: { action: "member.invited" },
      });
    },
  );

  app.delete(
    "/v1/members/:id",
    {
      schema: {
        operationId: "removeMember",
        summary: "Remove a member",
        description:
          "Ends the member's sessions and deletes the API keys that the member created. The member can change nothing from then on; pages that are open may still load data for up to a minute.",
        tags,
        params: Type.Object({ id: text("The member's id.") }),
        response: { 200: ref(Deleted) },
      },
      config: { access: "owner" },
    },
    (request, reply) => {
      const { space } = request.who;
      const details = ({ email, keys }: { email: string; keys: string[] }) => ({ email, api_keys: keys });
      const audit = { action: "member.removed", subject: ({ id }: { id: string }) => id, details };
      const remove = async (tx: Transaction) => {
        const member = await people.members.remove(space, request.params.id);
        const keys = await apiKeys.removeCreatedBy(tx, space, member.email);
        return { ...member, keys: keys.map(({ name }) => name) };
      };
      return change(request, reply, remove, { audit, present: deleted });
    },
  );
}
