import { EventEmitter } from "node:events";
import pg from "pg";
import type { Database, Sql, Statement } from "../../server/src/store/db.ts";
import type { Process, World } from "./world.ts";

export interface DatabaseFaults {
  /** The statement or commit happened, its answer is lost. */
  lostAnswer: number;
  /** It never reached the server. */
  refused: number;
}

/** Changes a statement: how a bug is planted. */
export type Rewrite = (statement: Statement) => Statement;

const INT8 = 20;
const types = new pg.TypeOverrides();
types.setTypeParser(INT8, Number);

/** One process's way to the database: each statement is a step of the world, and may fail as a network does. */
export class SimDatabase implements Database {
  readonly #world: World;
  readonly #process: Process;
  readonly #faults: () => DatabaseFaults;
  readonly #rewrite: Rewrite;
  readonly #free: pg.Client[] = [];
  readonly #waiting: ((client: pg.Client) => void)[] = [];
  readonly #all = new Set<pg.Client>();
  #sessions: FakeClient[] = [];

  constructor(world: World, process: Process, faults: () => DatabaseFaults, rewrite: Rewrite) {
    this.#world = world;
    this.#process = process;
    this.#faults = faults;
    this.#rewrite = rewrite;
  }

  get pool(): pg.Pool {
    throw new Error("the simulation has no pool");
  }

  /** Connects before the simulation runs: connecting is no step of it. */
  async open(connections = 10): Promise<void> {
    for (let n = 0; n < connections; n++) {
      const client = new pg.Client({ ...this.#world.connection, types });
      client.on("error", () => {});
      await client.connect();
      this.#all.add(client);
      this.#free.push(client);
    }
  }

  async run<Row>(statement: Statement, values: readonly unknown[] = []): Promise<Row[]> {
    const client = await this.#take();
    try {
      return await this.#statement<Row>(client, statement, values, true);
    } finally {
      this.#giveBack(client);
    }
  }

  async transaction<Result>(work: (tx: Sql) => Promise<Result>): Promise<Result> {
    const client = await this.#take();
    try {
      await this.#step(client, () => client.query("begin"), false);
      const result = await work({ run: (statement, values = []) => this.#statement(client, statement, values, false) });
      await this.#step(client, () => client.query("commit"), true);
      return result;
    } catch (error) {
      await this.#world.call(this.#process, pidOf(client), () => client.query("rollback"));
      throw error;
    } finally {
      this.#giveBack(client);
    }
  }

  /** A session's connection, as far as this server uses one. */
  async connect(): Promise<pg.Client> {
    const client = await this.#take();
    const fake = new FakeClient(
      client,
      (begin) => this.#step(client, begin, false),
      () => this.#kill(client),
    );
    this.#sessions.push(fake);
    return fake as unknown as pg.Client;
  }

  /** The session's connection breaks, as behind a proxy that forgot it. */
  async cutSession(): Promise<void> {
    for (const session of this.#sessions.splice(0)) {
      await this.#kill(session.real);
      session.emit("end");
    }
  }

  async close(): Promise<void> {
    for (const client of this.#all) await this.#kill(client);
  }

  async #take(): Promise<pg.Client> {
    return this.#free.pop() ?? new Promise((resolve) => this.#waiting.push(resolve));
  }

  #giveBack(client: pg.Client): void {
    const next = this.#waiting.shift();
    if (next !== undefined) next(client);
    else if (this.#all.has(client)) this.#free.push(client);
  }

  /** Ends it as the end of its process would, and waits until the server has seen that: locks and transactions are gone. */
  async #kill(client: pg.Client): Promise<void> {
    if (!this.#all.delete(client)) return;
    const pid = pidOf(client);
    (client as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    await this.#world.ask("select pg_terminate_backend($1, 5000)", [pid]);
  }

  async #statement<Row>(
    client: pg.Client,
    statement: Statement,
    values: readonly unknown[],
    commits: boolean,
  ): Promise<Row[]> {
    const { name, text } = this.#rewrite(statement);
    const query = { name, text, values: values as unknown[] };
    return (await this.#step(client, () => client.query(query), commits)).rows as Row[];
  }

  #step<Result>(client: pg.Client, begin: () => Promise<Result>, commits: boolean): Promise<Result> {
    const { lostAnswer, refused } = this.#faults();
    const { random } = this.#world;
    if (random.chance(refused))
      return this.#world.call(this.#process, 0, () => Promise.reject(new Error("connection refused")));
    const lost = commits && random.chance(lostAnswer);
    return this.#world.call(this.#process, pidOf(client), async () => {
      const result = await begin();
      if (lost) throw new Error("connection lost after the statement");
      return result;
    });
  }
}

const pidOf = (client: pg.Client): number => (client as unknown as { processID: number }).processID;

class FakeClient extends EventEmitter {
  readonly real: pg.Client;
  readonly #step: <Result>(begin: () => Promise<Result>) => Promise<Result>;
  readonly #end: () => Promise<void>;

  constructor(
    real: pg.Client,
    step: <Result>(begin: () => Promise<Result>) => Promise<Result>,
    end: () => Promise<void>,
  ) {
    super();
    this.real = real;
    this.#step = step;
    this.#end = end;
  }

  query(query: string | pg.QueryConfig): Promise<pg.QueryResult> {
    return this.#step(() => this.real.query(query as pg.QueryConfig));
  }

  end(): Promise<void> {
    return this.#step(this.#end);
  }
}
