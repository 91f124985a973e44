import { EventEmitter } from "node:events";
import type pg from "pg";
import {
  type Database,
  type Effect,
  runEffects,
  type Statement,
  type Transaction,
  transactionOn,
} from "../../server/src/store/db.ts";
import { pidOf } from "./connections.ts";
import type { Process, World } from "./world.ts";

export interface DatabaseFaults {
  /** The probability that a statement or commit succeeds but its response is lost. */
  lostResponse: number;
  /** The probability that a statement never reaches the server. */
  refused: number;
}

/** Plants a bug: changes a statement, or returns null so that it is not run and returns no rows. */
export type Rewrite = (statement: Statement) => Statement | null;

/** Called with each notification that the process sends. */
export type OnNotice = (channel: string, payload: string) => void;

interface SimDatabaseParts {
  world: World;
  process: Process;
  faults(): DatabaseFaults;
  rewrite: Rewrite;
  onNotice: OnNotice;
  /** Called when a fault affects this process. */
  onFault(): void;
}

const CONNECTIONS = 6;

/**
 * The database as one process sees it. Each statement is one simulated step, and may fail as it could on a real
 * network.
 */
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

  /** Opens the connections before the simulation starts, because connecting is not a simulated step. */
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
      this.#putBack(client);
    }
  }

  /**
   * A real server sends a transaction's last statement together with the commit. Here they are separate steps, because
   * a crash between the two is harder to handle.
   */
  async transaction<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    const effects: Effect[] = [];
    const result = await this.#commit(work, effects);
    await runEffects(effects, (error) => Promise.reject(error));
    return result;
  }

  async #commit<Result>(work: (tx: Transaction) => Promise<Result>, effects: Effect[]): Promise<Result> {
    const client = await this.#take();
    const run: Transaction["run"] = (statement, values = []) => this.#statement(client, statement, values, false);
    try {
      await this.#step(client, "begin", () => client.query("begin"), false);
      const result = await work(transactionOn({ run, last: run }, effects));
      await this.#step(client, "commit", () => client.query("commit"), true);
      return result;
    } catch (error) {
      const { world, process } = this.#parts;
      const rollback = () => world.call(process, "rollback", pidOf(client), () => client.query("rollback"));
      await this.#inTurn(client, rollback);
      throw error;
    } finally {
      this.#putBack(client);
    }
  }

  /** Opens a session with only the methods that the server uses. */
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

  /** Delivers a notification to this process's listening sessions. */
  notice(channel: string, payload: string): void {
    for (const session of this.#sessions)
      if (session.channels.has(channel)) session.emit("notification", { channel, payload });
  }

  /** Breaks the connections of the process's sessions, as if a proxy had dropped them. */
  async cutSession(): Promise<void> {
    for (const session of this.#sessions.splice(0)) {
      await this.#kill([session.real]);
      session.emit("end");
    }
  }

  /** Ends all connections except idle ones, which the next process reuses. */
  async close(): Promise<void> {
    const idle = this.#free.splice(0).filter((client) => this.#all.delete(client));
    this.#parts.world.connections.putBack(idle);
    await this.#kill([...this.#all]);
  }

  async #take(): Promise<pg.Client> {
    return this.#free.pop() ?? new Promise((resolve) => this.#waiting.push(resolve));
  }

  #putBack(client: pg.Client): void {
    if (!this.#all.has(client)) return;
    const next = this.#waiting.shift();
    if (next !== undefined) next(client);
    else this.#free.push(client);
  }

  /** Kills these connections, and replaces each one unless the process is dead. */
  async #kill(clients: readonly pg.Client[]): Promise<void> {
    const { world, process } = this.#parts;
    const mine = clients.filter((client) => this.#all.delete(client));
    await world.connections.kill(mine);
    if (process.dead) return;
    for (const fresh of await world.connections.take(mine.length)) {
      this.#all.add(fresh);
      this.#putBack(fresh);
    }
  }

  async #statement<Row>(
    client: pg.Client,
    statement: Statement,
    values: readonly unknown[],
    commits: boolean,
  ): Promise<Row[]> {
    const planted = this.#parts.rewrite(statement);
    const run = async (): Promise<Row[]> =>
      planted === null ? [] : (await client.query({ ...planted, values: values as unknown[] })).rows;
    return this.#step(client, statement.name, run, commits);
  }

  /**
   * Runs each connection's work in the order in which it was sent, as PostgreSQL does. This matters when a rollback
   * follows statements that were not awaited.
   */
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

  /** Runs a query. LISTEN is only simulated, because a real notification would arrive at an arbitrary time. */
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
