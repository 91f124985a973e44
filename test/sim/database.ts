import { EventEmitter } from "node:events";
import type pg from "pg";
import type { Database, Statement, Transaction } from "../../server/src/store/db.ts";
import { pidOf } from "./connections.ts";
import type { Process, World } from "./world.ts";

export interface DatabaseFaults {
  /** The statement or commit happened, its response is lost. */
  lostResponse: number;
  /** It never reached the server. */
  refused: number;
}

/** Changes a statement: how a bug is planted. */
export type Rewrite = (statement: Statement) => Statement;

/** Hears of each notice that a process sent. */
export type OnNotice = (channel: string, payload: string) => void;

interface SimDatabaseParts {
  world: World;
  process: Process;
  faults(): DatabaseFaults;
  rewrite: Rewrite;
  onNotice: OnNotice;
  /** A fault that this process felt. */
  onFault(): void;
}

const CONNECTIONS = 6;

/** One process's way to the database: each statement is a step of the world, and may fail as a network does. */
export class SimDatabase implements Database {
  readonly sharesSessions = false;
  readonly #parts: SimDatabaseParts;
  readonly #free: pg.Client[] = [];
  readonly #waiting: ((client: pg.Client) => void)[] = [];
  readonly #all = new Set<pg.Client>();
  readonly #turns = new Map<pg.Client, Promise<void>>();
  #sessions: FakeClient[] = [];

  constructor(parts: SimDatabaseParts) {
    this.#parts = parts;
  }

  get pool(): pg.Pool {
    throw new Error("the simulation has no pool");
  }

  /** Connects before the simulation runs: connecting is no step of it. */
  async open(): Promise<void> {
    for (const client of await this.#parts.world.connections.take(CONNECTIONS)) {
      this.#all.add(client);
      this.#free.push(client);
    }
  }

  async run<Row>(statement: Statement, values: readonly unknown[] = []): Promise<Row[]> {
    const client = await this.#take();
    try {
      const rows = await this.#statement<Row>(client, statement, values, true);
      if (statement.name === "notify") this.#parts.onNotice(values[0] as string, values[1] as string);
      return rows;
    } finally {
      this.#giveBack(client);
    }
  }

  /** What goes out with its commit is a step of its own here: a crash between the two is the harder case. */
  async transaction<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    const client = await this.#take();
    const run: Transaction["run"] = (statement, values = []) => this.#statement(client, statement, values, false);
    try {
      await this.#step(client, "begin", () => client.query("begin"), false);
      const result = await work({ run, last: run });
      await this.#step(client, "commit", () => client.query("commit"), true);
      return result;
    } catch (error) {
      const { world, process } = this.#parts;
      const rollback = () => world.call(process, "rollback", pidOf(client), () => client.query("rollback"));
      await this.#inTurn(client, rollback);
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
      (what, begin) => this.#step(client, what, begin, false),
      () => this.#kill([client]),
    );
    this.#sessions.push(fake);
    return fake as unknown as pg.Client;
  }

  /** A notice reaches whoever listens on this process. */
  notice(channel: string, payload: string): void {
    for (const session of this.#sessions)
      if (session.channels.has(channel)) session.emit("notification", { channel, payload });
  }

  /** The session's connection breaks, as behind a proxy that forgot it. */
  async cutSession(): Promise<void> {
    for (const session of this.#sessions.splice(0)) {
      await this.#kill([session.real]);
      session.emit("end");
    }
  }

  /** Ends all connections. Those at rest serve the next process. */
  async close(): Promise<void> {
    const atRest = this.#free.splice(0).filter((client) => this.#all.delete(client));
    this.#parts.world.connections.giveBack(atRest);
    await this.#kill([...this.#all]);
  }

  async #take(): Promise<pg.Client> {
    return this.#free.pop() ?? new Promise((resolve) => this.#waiting.push(resolve));
  }

  #giveBack(client: pg.Client): void {
    if (!this.#all.has(client)) return;
    const next = this.#waiting.shift();
    if (next !== undefined) next(client);
    else this.#free.push(client);
  }

  /** A new connection takes the place of each that ended. */
  async #kill(clients: readonly pg.Client[]): Promise<void> {
    const { world, process } = this.#parts;
    const mine = clients.filter((client) => this.#all.delete(client));
    await world.connections.kill(mine);
    if (process.dead) return;
    for (const fresh of await world.connections.take(mine.length)) {
      this.#all.add(fresh);
      this.#giveBack(fresh);
    }
  }

  async #statement<Row>(
    client: pg.Client,
    statement: Statement,
    values: readonly unknown[],
    commits: boolean,
  ): Promise<Row[]> {
    const { name, text } = this.#parts.rewrite(statement);
    const query = { name, text, values: values as unknown[] };
    return (await this.#step(client, name, () => client.query(query), commits)).rows as Row[];
  }

  /** What is asked of one connection is done in that order, as on the wire: a rollback too, after what nobody waits for. */
  #inTurn<Result>(client: pg.Client, work: () => Promise<Result>): Promise<Result> {
    const before = this.#turns.get(client);
    const mine = before === undefined ? work() : before.then(work);
    const over = mine.then(
      () => {},
      () => {},
    );
    this.#turns.set(client, over);
    void over.then(() => this.#turns.get(client) === over && this.#turns.delete(client));
    return mine;
  }

  #step<Result>(client: pg.Client, what: string, begin: () => Promise<Result>, commits: boolean): Promise<Result> {
    return this.#inTurn(client, () => this.#call(client, what, begin, commits));
  }

  #call<Result>(client: pg.Client, what: string, begin: () => Promise<Result>, commits: boolean): Promise<Result> {
    const { world, process, faults, onFault } = this.#parts;
    const { lostResponse, refused } = faults();
    const failed = (reason: string) => {
      onFault();
      throw new Error(reason);
    };
    if (world.random.chance(refused)) return world.call(process, what, 0, async () => failed("connection refused"));
    const lost = commits && world.random.chance(lostResponse);
    return world.call(process, what, pidOf(client), async () => {
      const result = await begin();
      return lost ? failed("connection lost after the statement") : result;
    });
  }
}

class FakeClient extends EventEmitter {
  readonly real: pg.Client;
  readonly channels = new Set<string>();
  readonly #step: <Result>(what: string, begin: () => Promise<Result>) => Promise<Result>;
  readonly #end: () => Promise<void>;

  constructor(
    real: pg.Client,
    step: <Result>(what: string, begin: () => Promise<Result>) => Promise<Result>,
    end: () => Promise<void>,
  ) {
    super();
    this.real = real;
    this.#step = step;
    this.#end = end;
  }

  /** A LISTEN is heard by the world: a real notice would come at a moment of its own. */
  async query(query: string | pg.QueryConfig): Promise<pg.QueryResult> {
    const listens = typeof query === "string" ? /^listen (\w+)$/.exec(query) : null;
    const what = typeof query === "string" ? query : query.name!;
    const result = await this.#step(what, () =>
      this.real.query(listens === null ? (query as pg.QueryConfig) : "select 1"),
    );
    if (listens !== null) this.channels.add(listens[1]!);
    return result;
  }

  end(): Promise<void> {
    this.channels.clear();
    return this.#step("end", this.#end);
  }
}
