import { createHash } from "node:crypto";
import type pg from "pg";
import type { Clock } from "../../server/src/kernel/clock.ts";
import type { Random } from "../../server/src/kernel/random.ts";
import type { Connections } from "./connections.ts";

/** A simulated process. Its statements and timers run only while it is alive and not frozen. */
export interface Process {
  name: string;
  dead: boolean;
  frozenUntil_ms: number;
  /** Until this time, each of its statements is delayed by up to a second. */
  slowUntil_ms: number;
  /** How far the process's clock is ahead of the simulated time, or behind if negative. */
  skew_ms: number;
}

export const newProcess = (name: string, skew_ms = 0): Process => ({
  ...{ name, skew_ms, dead: false, frozenUntil_ms: 0, slowUntil_ms: 0 },
});

/** A statement that a process has sent and is waiting for. */
interface Call {
  process: Process;
  what: string;
  pid: number;
  at_ms: number;
  begin(): Promise<unknown>;
  deliver(outcome: Outcome): void;
}

type Outcome = { value: unknown } | { error: unknown };
type Running = Call & { running: Promise<void>; outcome: Outcome | null };

interface Timer {
  process: Process;
  at_ms: number;
  work(): void;
}

type Seeded = Random & { chance(probability: number): boolean; pick<T>(from: readonly T[]): T };

/** A seeded generator (mulberry32). */
export function seeded(seed: number): Seeded {
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
const SLOW_MS = 1_000;

/**
 * Controls the simulated time and the order of all steps on a real database. Each step is either one statement from a
 * process or one due timer; the seed chooses which. Time advances only when no step is possible.
 */
export class World {
  readonly random: Seeded;
  readonly connections: Connections;
  readonly findings: string[] = [];
  /** Safety checks to run on the database before the next step. */
  readonly checks: (() => Promise<void>)[] = [];
  now_ms = BEGIN_MS;
  /** How far the database clock is ahead of the simulated time, or behind if negative. */
  jumped_ms = 0;
  steps = 0;
  readonly #trace = createHash("sha256");
  #calls: Call[] = [];
  /** Statements that have begun and are waiting for a lock. */
  #begun: Running[] = [];
  #timers: Timer[] = [];

  constructor(seed: number, connections: Connections) {
    this.random = seeded(seed);
    this.connections = connections;
  }

  /** Returns a hash of all steps in order. Two runs of the same seed have the same hash. */
  trace(): string {
    return this.#trace.copy().digest("hex");
  }

  /** Reads or changes the database from outside the simulated processes. */
  async ask<Row>(text: string, values: unknown[] = []): Promise<Row[]> {
    return this.connections.ask<Row>(text, values);
  }

  clockOf(process: Process): Clock {
    return {
      now: () => this.now_ms + process.skew_ms,
      monotonic: () => this.now_ms - BEGIN_MS + 1,
      after: (delay_ms, work) => {
        const timer = { process, at_ms: this.now_ms + Math.max(0, Math.ceil(delay_ms)), work };
        if (!process.dead) this.#timers.push(timer);
        return () => {
          this.#timers = this.#timers.filter((other) => other !== timer);
        };
      },
    };
  }

  /** Queues a statement, which runs at a time chosen by the seed. */
  call<Result>(process: Process, what: string, pid: number, begin: () => Promise<Result>): Promise<Result> {
    return new Promise((resolve, reject) => {
      const deliver: Call["deliver"] = (outcome) =>
        "error" in outcome ? reject(outcome.error) : resolve(outcome.value as Result);
      const slow = process.slowUntil_ms > this.now_ms;
      const at_ms = slow ? this.now_ms + this.random.integer(SLOW_MS) : this.now_ms;
      if (!process.dead) this.#calls.push({ process, what, pid, at_ms, begin, deliver });
    });
  }

  /** Kills a process. Some of the statements it has already sent still run, but it receives no responses. */
  async kill(process: Process): Promise<void> {
    process.dead = true;
    const left = this.#calls.filter((call) => call.process === process);
    this.#calls = this.#calls.filter((call) => call.process !== process);
    this.#timers = this.#timers.filter((timer) => timer.process !== process);
    for (const call of left) if (this.random.chance(0.5)) await this.#run(call);
  }

  /**
   * Takes steps until `until()` is true or `limit_ms` of simulated time has passed. @returns the last result of
   * `until()`
   */
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
    const calls = this.#calls.filter((call) => call.at_ms <= this.now_ms && this.#awake(call.process));
    const timers = this.#timers.filter((timer) => timer.at_ms <= this.now_ms && this.#awake(timer.process));
    if (calls.length + timers.length === 0) return this.#advance();
    const chosen = this.random.integer(calls.length + timers.length);
    const call = calls[chosen];
    if (call !== undefined) {
      this.#calls.splice(this.#calls.indexOf(call), 1);
      await this.#run(call);
    } else {
      const timer = timers[chosen - calls.length]!;
      this.#timers.splice(this.#timers.indexOf(timer), 1);
      timer.work();
    }
    await this.#quiet();
  }

  #awake = (process: Process): boolean => !process.dead && process.frozenUntil_ms <= this.now_ms;

  async #advance(): Promise<void> {
    let next_ms = Number.POSITIVE_INFINITY;
    for (const { at_ms, process } of [...this.#timers, ...this.#calls])
      next_ms = Math.min(next_ms, Math.max(at_ms, process.frozenUntil_ms));
    if (!Number.isFinite(next_ms)) throw new Error("no step is possible any more");
    this.now_ms = Math.max(next_ms, this.now_ms + 1);
  }

  /** Sets the database clock before each statement, because the statement may read it. */
  #setClock(): Promise<unknown> {
    return this.connections.setClock(this.now_ms + this.jumped_ms);
  }

  async #run(call: Call): Promise<void> {
    const running: Running = { ...call, running: Promise.resolve(), outcome: null };
    await this.#setClock();
    running.running = call.begin().then(
      (value) => void Object.assign(running, { outcome: { value } }),
      (error: unknown) => void Object.assign(running, { outcome: { error } }),
    );
    this.#begun.push(running);
    await this.#settle();
  }

  /**
   * Waits until each statement has finished or is waiting for a lock. A statement that finishes may unblock another.
   */
  async #settle(): Promise<void> {
    for (let left = -1; left !== this.#waiting().length; ) {
      left = this.#waiting().length;
      for (const call of this.#waiting()) await this.#overOrBlocked(call);
    }
    const ended = this.#begun.filter(({ outcome }) => outcome !== null);
    this.#begun = this.#waiting();
    for (const call of ended) this.#deliver(call, call.outcome!); // in the order in which they began
  }

  #waiting = (): Running[] => this.#begun.filter(({ outcome }) => outcome === null);

  #deliver({ process, what, deliver }: Running, outcome: Outcome): void {
    const rows = "value" in outcome ? ((outcome.value as pg.QueryResult | undefined)?.rowCount ?? "") : "failed";
    this.note(`${process.name} ${what} ${rows}`);
    if (!process.dead) deliver(outcome);
  }

  /** Adds a line to the trace. */
  note(line: string): void {
    this.#trace.update(`${this.now_ms} ${line}\n`);
    if (process.env.SIM_TRACE !== undefined) console.log(this.now_ms - BEGIN_MS, line);
  }

  async #overOrBlocked(call: Running): Promise<void> {
    for (;;) {
      await Promise.race([call.running, new Promise((resolve) => setTimeout(resolve, 5))]);
      if (call.outcome !== null || (await this.connections.blocked(call.pid))) return;
    }
  }

  /** Waits until every process is waiting for a step. */
  async #quiet(): Promise<void> {
    for (let turn = 0; turn < 3; turn++) await new Promise((resolve) => setImmediate(resolve));
    for (const check of this.checks.splice(0)) await check();
  }
}
