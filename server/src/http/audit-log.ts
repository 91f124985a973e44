import { unixSeconds } from "../kernel/clock.ts";
import { pageOf } from "../kernel/page.ts";
import { longUuid, shortUuid } from "../kernel/short-uuid.ts";
import { type AuditRow, listAuditAfter, listAuditBefore } from "../store/audit-log.ts";
import type { Sql } from "../store/db.ts";
import type { Api } from "./api.ts";
import { paged } from "./lists.ts";
import { ref } from "./schemas/common.ts";
import { AuditEntryList, PageQuery } from "./schemas/space.ts";

export function auditLogRoutes(app: Api, { db }: { db: Sql }): void {
  app.get(
    "/v1/audit-log",
    {
      schema: {
        operationId: "listAuditLog",
        summary: "List audit log entries",
        description:
          "Newest first. Each entry records an action, such as revealing a secret, with its actor, time and IP address.",
        tags: ["Audit log"],
        querystring: PageQuery,
        response: { 200: ref(AuditEntryList) },
      },
    },
    ({ who: { space }, query }) =>
      pageOf(paged(query), longUuid, present, {
        after: (after, limit) => listAuditAfter(db, space, after, limit),
        before: (before, limit) => listAuditBefore(db, space, before, limit),
      }),
  );
}

function present({ id, action, actor, actor_id, address, subject, details, created_at }: AuditRow) {
  const created = unixSeconds(created_at.getTime());
  const entry = { action, actor, actor_id, address, subject, details };
  return { id: shortUuid(id), object: "audit_entry" as const, created, ...entry };
}
