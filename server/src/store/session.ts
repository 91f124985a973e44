import type { Clock } from "../clock.ts";
import type { Database, Sql, Statement } from "./db.ts";

/** One connection of its own: for LISTEN, and for locks that last as long as it does. */
export interface Session extends Sql {
  /** @param channel a lower-case word of this code, never input */
  listen(channel: string): Promise<void>;
  /** Rejects where the connection is dead. */
  probe(): Promise<void>;
  close(): Promise<void>;
}

const PROBE: Statement = { name: "session_probe", text: "select 1" };
const PROBE_MS = 5_000; // as long as a statement of the pool waits for a connection

/** @param listeners `onLost` is told once, when the connection ends without `close` */
export async function openSession(
  db: Database,
  clock: Clock,
  listeners: { onNotice(channel: string, payload: string): void; onLost(): void },
): Promise<Session> {
  const client = await db.connect();
  let open = true;
  const lost = () => {
    if (open) listeners.onLost();
    open = false;
  };
  client.on("error", lost);
  client.on("end", lost);
  client.on("notification", ({ channel, payload = "" }) => listeners.onNotice(channel, payload));
  const run = async <Row>({ name, text }: Statement, values: readonly unknown[] = []): Promise<Row[]> =>
    (await client.query({ name, text, values: values as unknown[] })).rows;
  return {
    run,
    async listen(channel) {
      await client.query(`listen ${channel}`);
    },
    async probe() {
      await within(clock, PROBE_MS, run(PROBE));
    },
    async close() {
      open = false;
      await within(clock, PROBE_MS, client.end()).catch(() => {}); // it was dead already: there is nothing left to end
    },
  };
}

function within<Result>(clock: Clock, patience_ms: number, work: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(patience_ms, () => reject(new Error("the database does not answer")));
    work.then(resolve, reject).finally(cancel);
  });
}
