import type { Sql, Statement } from "./db.ts";

const LOOK: Statement = {
  name: "doctor_look",
  text: `select current_setting('server_version') as version, clock_timestamp() as clock,
      pg_database_size(current_database()) as size_bytes,
      (select count(*) from pending_deliveries) as open,
      array(select name from unnest(array['fsync', 'full_page_writes', 'synchronous_commit']) as name
        where current_setting(name) = 'off') as off`,
};

export interface DatabaseLook {
  version: string;
  clock: Date;
  size_bytes: number;
  /** Pending deliveries. */
  open: number;
  /** The durability settings that are turned off. */
  off: string[];
}

export async function lookAtDatabase(sql: Sql): Promise<DatabaseLook> {
  return (await sql.run<DatabaseLook>(LOOK))[0]!;
}

/** Lists each space's newest webhooks first, by id, because UUIDv7 ids sort by time. */
const HOSTS: Statement = {
  name: "doctor_webhook_urls",
  text: "select url from webhooks where status = 'enabled' order by space_id, id desc limit $1",
};
export async function listWebhookUrls(sql: Sql, most: number): Promise<string[]> {
  return (await sql.run<{ url: string }>(HOSTS, [most])).map(({ url }) => url);
}

/** Reads the Date headers of the most recent responses. */
const DATES: Statement = {
  name: "doctor_receiver_dates",
  text: `select started_at, header ->> 1 as date
    from (select started_at, response_headers from attempts where response_headers is not null
          order by delivery_id desc limit 100) as newest, json_array_elements(response_headers) as header
    where lower(header ->> 0) = 'date'`,
};
export async function listReceiverDates(sql: Sql): Promise<{ started_at: Date; date: string }[]> {
  return sql.run<{ started_at: Date; date: string }>(DATES);
}
