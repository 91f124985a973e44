import pg from "pg";

const INT8 = 20;
const types = new pg.TypeOverrides();
types.setTypeParser(INT8, Number);

// With the default deadlock_timeout of one second, the machine's speed would decide which transaction PostgreSQL
// aborts.
const OPTIONS =
  "-c search_path=sim,pg_catalog,public -c synchronous_commit=off -c deadlock_timeout=1ms -c enable_seqscan=off -c jit=off";

export const pidOf = (client: pg.Client): number => (client as unknown as { processID: number }).processID;

/** Connections to the real database, which later runs reuse, plus two for observation. */
export class Connections {
  readonly #config: pg.ClientConfig;
  readonly #free: pg.Client[] = [];
  #observer: pg.Client | null = null;
  /**
   * Reads locks from another database, because snapshots there cannot keep old rows of the simulated database alive.
   * The number of these snapshots depends on the machine, so they must not affect the run.
   */
  #bystander: pg.Client | null = null;

  constructor(connection: pg.ClientConfig) {
    this.#config = { ...connection, options: OPTIONS, types };
  }

  async open(): Promise<void> {
    this.#observer = await this.#connect();
    this.#bystander = await this.#connect({ database: "postgres" });
  }

  async close(): Promise<void> {
    for (const client of [...this.#free.splice(0), this.#observer!, this.#bystander!]) await client.end();
  }

  async #connect(other: pg.ClientConfig = {}): Promise<pg.Client> {
    const client = new pg.Client({ ...this.#config, ...other });
    client.on("error", () => {});
    await client.connect();
    return client;
  }

  async ask<Row>(text: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.#observer!.query(text, values)).rows;
  }

  async setClock(at_ms: number): Promise<void> {
    await this.#observer!.query({ name: "clock", text: "select setval('sim.clock_ms', $1)", values: [at_ms] });
  }

  async blocked(pid: number): Promise<boolean> {
    const text = "select cardinality(pg_blocking_pids($1)) > 0 as blocked";
    const [row] = (await this.#bystander!.query({ name: "blocked", text, values: [pid] })).rows;
    return row.blocked;
  }

  /** Returns `count` connections. Reused ones are reset, so that a run does not depend on earlier runs. */
  async take(count: number): Promise<pg.Client[]> {
    const kept = this.#free.splice(0, count);
    await Promise.all(kept.map((client) => client.query("discard all")));
    for (const client of kept) parsedOf(client).parsedStatements = {};
    const fresh = await Promise.all(Array.from({ length: count - kept.length }, () => this.#connect()));
    return [...kept, ...fresh];
  }

  /** Accepts idle connections for reuse. They must not have an open transaction, a lock or a listener. */
  putBack(clients: Iterable<pg.Client>): void {
    this.#free.push(...clients);
  }

  /** Ends the connections as if their process had been killed, and waits until the server has released their locks. */
  async kill(clients: readonly pg.Client[]): Promise<void> {
    const pids = clients.map(pidOf);
    for (const client of clients) parsedOf(client).stream.destroy();
    await this.ask("select pg_terminate_backend(pid) from unnest($1::int[]) as pid", [pids]);
    const left = "select 1 from pg_stat_activity where pid = any($1)";
    while ((await this.ask(left, [pids])).length > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const parsedOf = (client: pg.Client) =>
  (client as unknown as { connection: { parsedStatements: object; stream: { destroy(): void } } }).connection;
