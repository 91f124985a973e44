import type { Sql, Statement } from "./db.ts";
import { WEBHOOK, type WebhookRow } from "./webhooks.ts";

/** A webhook with a state change that its owners have not been notified about. */
export interface News extends WebhookRow {
  owners: string[];
  /** When the state changed, at the database's full precision. */
  since: string;
}

// Scans all webhooks to find the few that are disabled or failing. The sign-in tables list each space's members.
const news: Statement = {
  name: "owner_mail_news",
  text: `select ${WEBHOOK}, array(select u.email from auth.member m join auth."user" u on u.id = m."userId"
        where m."organizationId" = w.space_id::text and m.role = 'owner') as owners,
      (case w.status when 'disabled' then w.status_since else w.warned_at end)::text as since
    from webhooks w
    where (w.status = 'disabled' and w.mailed_at < w.status_since and w.status_since > now() - $1 * interval '1 day')
      or (w.status = 'enabled' and w.failing_since is not null and w.mailed_at < w.warned_at)
    order by w.status_since limit $2`,
};

/**
 * Lists the webhooks that were disabled in the last `days` days or soon will be, and whose owners have not been
 * notified.
 */
export async function listNews(sql: Sql, days: number, limit: number): Promise<News[]> {
  return sql.run<News>(news, [days, limit]);
}

const told: Statement = {
  name: "owner_mail_told_since",
  text: "update webhooks set mailed_at = $3::timestamptz where space_id = $1 and id = $2",
};

/** Marks this state change as reported, but not any change that happened while the mail was being sent. */
export async function markTold(sql: Sql, { space_id, id, since }: News): Promise<void> {
  await sql.run(told, [space_id, id, since]);
}
