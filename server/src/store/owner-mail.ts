import type { Sql, Statement } from "./db.ts";
import { WEBHOOK, type WebhookRow } from "./webhooks.ts";

/** A webhook whose owners do not know yet what became of it. */
export interface News extends WebhookRow {
  owners: string[];
  /** When that came to be, with the database's own precision. */
  since: string;
}

// Few webhooks are disabled or failing; the rest is passed over. A person belongs to a space as the sign-in tables say.
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

/** Webhooks that were disabled in the last `days` or are about to be, and whose owners were not told. */
export async function listNews(sql: Sql, days: number, limit: number): Promise<News[]> {
  return sql.run<News>(news, [days, limit]);
}

const told: Statement = {
  name: "owner_mail_told_since",
  text: "update webhooks set mailed_at = $3::timestamptz where space_id = $1 and id = $2",
};

/** Its owners know of this, and not of what may have become of it while the mail was on its way. */
export async function markTold(sql: Sql, { space_id, id, since }: News): Promise<void> {
  await sql.run(told, [space_id, id, since]);
}
