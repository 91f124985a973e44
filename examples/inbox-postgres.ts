/**
 * An inbox in PostgreSQL. It handles each event once, in order per video, and marks it as handled in the same
 * transaction as the event's effects. To use it, copy this file and replace `handle`.
 */
import { createInbox, eventsFrom, type Gap, type InboxStore } from "@mave/webhooks/order";
import type { Pool, PoolClient } from "pg";

export const TABLES = `
  create table if not exists mave_positions (video text primary key, sequence integer not null default 0, event text);
  create table if not exists mave_events (id text primary key, handled_at timestamptz not null default now());
`; // rows in mave_events can be deleted after four days, when Mave no longer retries their events

export function postgresStore(pool: Pool): InboxStore<PoolClient> {
  return {
    async exclusively(video, work) {
      const tx = await pool.connect();
      try {
        await tx.query("begin");
        const result = await work(await marksOf(tx, video ?? ""));
        await tx.query("commit");
        return result;
      } catch (error) {
        await tx.query("rollback");
        throw error;
      } finally {
        tx.release();
      }
    },
  };
}

/** Locks the video's row, so that events of the same video wait for each other without blocking other videos. */
async function marksOf(tx: PoolClient, video: string) {
  await tx.query("insert into mave_positions (video) values ($1) on conflict do nothing", [video]);
  const { rows } = await tx.query("select sequence, event from mave_positions where video = $1 for update", [video]);
  let position: { sequence: number; event: string | null } = rows[0];
  return {
    tx,
    seen: async (event: string) => (await tx.query("select from mave_events where id = $1", [event])).rowCount === 1,
    position: async () => position,
    async mark(event: string, sequence: number) {
      await tx.query("insert into mave_events (id) values ($1) on conflict do nothing", [event]);
      if (sequence <= position.sequence) return;
      position = { sequence, event };
      await tx.query("update mave_positions set sequence = $2, event = $3 where video = $1", [video, sequence, event]);
    },
  };
}

/** Creates an inbox for use with any adapter: `webhook(secret, inbox)`. */
export const createLibraryInbox = (pool: Pool, mave: { url: string; apiKey: string }, onGap: (gap: Gap) => void) =>
  createInbox({
    store: postgresStore(pool),
    events: eventsFrom(mave.url, mave.apiKey),
    onGap,
    async handle(event, { tx, late }) {
      if (event.data.object !== "video" || late) return; // a late event is older than the stored state
      const { id, name, status } = event.data;
      if (event.type === "video.deleted") await tx.query("delete from library where id = $1", [id]);
      else {
        const text = `insert into library (id, name, status) values ($1, $2, $3)
          on conflict (id) do update set name = excluded.name, status = excluded.status`;
        await tx.query(text, [id, name, status]);
      }
    },
  });
