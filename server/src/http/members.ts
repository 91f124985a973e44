import { Type } from "typebox";
import type { People } from "../auth/people.ts";
import type { Api } from "./api.ts";
import type { Change } from "./change.ts";
import { deleted } from "./lists.ts";
import { Deleted, ref, text } from "./schemas/common.ts";
import { Invitation, MemberList } from "./schemas/space.ts";

const tags = ["Members"];

/** Adds the routes for members. An invitation is a link that the owner shares, so no mail server is needed. */
export function memberRoutes(app: Api, { people, change }: { people: People; change: Change }): void {
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
      reply.header("cache-control", "no-store");
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
        description: "The member's sessions end within a minute.",
        tags,
        params: Type.Object({ id: text("The member's id.") }),
        response: { 200: ref(Deleted) },
      },
      config: { access: "owner" },
    },
    (request, reply) => {
      const details = ({ email }: { email: string }) => ({ email });
      const audit = { action: "member.removed", subject: ({ id }: { id: string }) => id, details };
      return change(request, reply, () => people.members.remove(request.who.space, request.params.id), {
        audit,
        present: deleted,
      });
    },
  );
}
