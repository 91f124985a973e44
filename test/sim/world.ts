import pg from "pg";
import type { Clock } from "../../server/src/clock.ts";
import type { Random } from "../../server/src/random.ts";

/** A process of the simulation: what it asked for happens only while it lives and is not frozen. */
export interface Process {
  name: string;
  dead: boolean;
  frozenUntil_ms: number;
}

/** Something that a process waits for: one statement. */
interface Call {
  process: Process;
  pid: number;
  begin(): Promise<unknown>;
  deliver(outcome: { value: unknown } | { error: unknown }): void;
}

interface Timer {
  process: Process;
  at_ms: number;
  work(): void;
}

/** A generator that a seed repeats exactly (mulberry32). */
export function seeded(
  seed: number,
): Random & { chance(probability: number): boolean; pick<T>(from: readonly T[]): T } {
  let state = seed >>> 0;
  const fraction = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const integer = (below: number) => Math.floor(fraction() * below);
  return {
    fraction,
    integer,
    bytes: (count) => Buffer.from(Array.from({ length: count }, () => integer(256))),
    chance: (probability) => fraction() < probability,
    pick: (from) => from[integer(from.length)]!,
  };
}

const BEGIN_MS = Date.parse("2026-11-24T00:00:00Z");

/**
 * Time, the order of everything that happens, and the real database below it. One thing happens at a time: a statement
 * of some process, or a timer that is due, chosen by the seed. Time moves only when nothing else can happen.
 */
export class World {
  readonly random: ReturnType<typeof seeded>;
  readonly connection: pg.ClientConfig;
  readonly findings: string[] = [];
  /** Read from the database before anything else happens: what the safety checks ask for. */
  readonly checks: (() => Promise<void>)[] = [];
  now_ms = BEGIN_MS;
  steps = 0;
  #calls: Call[] = [];
  #blocked: (Call & { running: Promise<unknown>; done: boolean })[] = [];
  #timers: Timer[] = [];
  #observer: pg.Client | null = null;

  constructor(seed: number, connection: pg.ClientConfig) {
    this.random = seeded(seed);
    this.connection = { ...connection, options: "-c search_path=sim,pg_catalog,public" };
  }

  async open(): Promise<void> {
    this.#observer = new pg.Client(this.connection);
    await this.#observer.connect();
    await this.ask("update sim.clock set at = $1", [new Date(this.now_ms)]);
  }

  async close(): Promise<void> {
    await this.#observer?.end();
  }

  /** Reads or changes the database beside the simulated processes. */
  async ask<Row>(text: string, values: unknown[] = []): Promise<Row[]> {
    return (await this.#observer!.query(text, values)).rows;
  }

  clockOf(process: Process): Clock {
    return {
      now: () => this.now_ms,
      monotonic: () => this.now_ms - BEGIN_MS + 1,
      after: (delay_ms, work) => {
        const timer = { process, at_ms: this.now_ms + Math.max(0, delay_ms), work };
        this.#timers.push(timer);
        return () => {
          this.#timers = this.#timers.filter((other) => other !== timer);
        };
      },
    };
  }

  /** Has a statement happen at a moment of the seed's choice. */
  call<Result>(process: Process, pid: number, begin: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const deliver: Call["deliver"] = (outcome) =>
        "error" in outcome ? reject(outcome.error) : resolve(outcome.value as Result);
      this.#calls.push({ process, pid, begin, deliver });
    });
  }

  /** What a process that died had asked for: some of it still happens, nobody hears of it. */
  async bury(process: Process): Promise<void> {
    process.dead = true;
    const left = this.#calls.filter((call) => call.process === process);
    this.#calls = this.#calls.filter((call) => call.process !== process);
    this.#timers = this.#timers.filter((timer) => timer.process !== process);
    for (const call of left) if (this.random.chance(0.5)) await this.#run(call);
  }

  /** Lets things happen until `until()` says so, or until simulated time is `limit_ms` later. @returns whether it did */
  async run(limit_ms: number, until: () => boolean | Promise<boolean>): Promise<boolean> {
    const end_ms = this.now_ms + limit_ms;
    await this.#quiet();
    while (this.now_ms < end_ms && this.findings.length === 0) {
      if (await until()) return true;
      await this.#step();
    }
    return until();
  }

  async #step(): Promise<void> {
    this.steps += 1;
    const calls = this.#calls.filter((call) => this.#awake(call.process));
    const timers = this.#timers.filter((timer) => timer.at_ms <= this.now_ms && this.#awake(timer.process));
    if (calls.length + timers.length === 0) return this.#advance();
    const chosen = this.random.integer(calls.length + timers.length);
    const call = calls[chosen];
    if (call !== undefined) {
      this.#calls = this.#calls.filter((other) => other !== call);
      await this.#run(call);
    } else {
      const timer = timers[chosen - calls.length]!;
      this.#timers = this.#timers.filter((other) => other !== timer);
      timer.work();
    }
    await this.#quiet();
  }

  #awake = (process: Process): boolean => !process.dead && process.frozenUntil_ms <= this.now_ms;

  async #advance(): Promise<void> {
    const times = this.#timers.map(({ at_ms, process }) => Math.max(at_ms, process.frozenUntil_ms));
    const waking = this.#calls.map(({ process }) => process.frozenUntil_ms);
    const next_ms = Math.min(...times, ...waking);
    if (!Number.isFinite(next_ms)) throw new Error("the simulation has nothing left to do");
    await this.moveTo(Math.max(next_ms, this.now_ms + 1));
  }

  async moveTo(now_ms: number): Promise<void> {
    const by_ms = now_ms - this.now_ms;
    this.now_ms = now_ms;
    await this.ask("update sim.clock set at = at + $1 * interval '1 ms'", [by_ms]);
  }

  async #run(call: Call): Promise<void> {
    const running = { ...call, running: Promise.resolve<unknown>(null), done: false };
    running.running = call.begin().then(
      (value) => {
        running.done = true;
        if (!call.process.dead) call.deliver({ value });
      },
      (error: unknown) => {
        running.done = true;
        if (!call.process.dead) call.deliver({ error });
      },
    );
    await this.#doneOrBlocked(running);
    if (!running.done) this.#blocked.push(running);
    for (const other of [...this.#blocked]) await this.#doneOrBlocked(other);
    this.#blocked = this.#blocked.filter(({ done }) => !done);
  }

  /** A statement that waits for another's lock goes on when that one ends: the others go first. */
  async #doneOrBlocked(call: { pid: number; running: Promise<unknown>; done: boolean }): Promise<void> {
    for (;;) {
      await Promise.race([call.running, new Promise((resolve) => setTimeout(resolve, 2))]);
      if (call.done) return;
      const [row] = await this.ask<{ blocked: boolean }>("select cardinality(pg_blocking_pids($1)) > 0 as blocked", [
        call.pid,
      ]);
      if (row!.blocked && !call.done) return;
    }
  }

  /** Until every process waits for something of this world. */
  async #quiet(): Promise<void> {
    for (let turn = 0; turn < 4; turn++) await new Promise((resolve) => setImmediate(resolve));
    for (const check of this.checks.splice(0)) await check();
  }
}

/** The database's clock is the world's: unqualified `now()` and `statement_timestamp()` find these first. */
export const SIMULATED_CLOCK = `
  create schema sim;
  create table sim.clock (at timestamptz not null);
  insert into sim.clock values (pg_catalog.now());
  create function sim.now() returns timestamptz stable language sql as 'select at from sim.clock';
  create function sim.statement_timestamp() returns timestamptz stable language sql as 'select at from sim.clock';
`;
