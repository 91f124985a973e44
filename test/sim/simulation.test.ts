import { describe, expect, test } from "vitest";
import { simulatedServer } from "./server.ts";
import { Simulation, type SimulationOptions, type SimulationResult } from "./simulation.ts";

/**
 * How long to keep trying seeds, in seconds, as set by SIM_SECONDS. The long tests use 60. SIM_SEED runs a single seed.
 */
const SECONDS = Number(process.env.SIM_SECONDS ?? 10);
/** Seeds that once found a violation, with the violation. They always run. */
const FOUND_ONCE = [132382]; // node 0 sent a delivery that is not pending; seen once, on a machine starved of CPU
/** The first of this run's new seeds. */
const FRESH = Date.now() % 1_000_000_000;
const ONE_SEED = process.env.SIM_SEED === undefined ? null : Number(process.env.SIM_SEED);
/** Together, these seeds cover crashes, replays and cancellations. */
const EXACT_SEEDS = [1, 7];
const SEEDS_PER_BUG = 60;
const PROGRESS_MS = 30_000;

/** Yields the seeds to run: those that once found a violation, then known and new seeds in turn. */
function* seeds(): Generator<number> {
  if (ONE_SEED !== null) return yield ONE_SEED;
  yield* FOUND_ONCE;
  for (let n = 1; ; n++) yield* [n, FRESH + n];
}

const connections = await simulatedServer();
const simulate = (seed: number, more: Partial<SimulationOptions> = {}) =>
  new Simulation({ seed, connections, ...more }).run();

/** Totals across all runs, printed every PROGRESS_MS. */
class Total {
  readonly #begun_ms = Date.now();
  readonly #sums = { seeds: 0, healed_s: 0, steps: 0, events: 0, attempts: 0, crashes: 0, replayed: 0, canceled: 0 };
  #printed_ms = Date.now();

  add(result: SimulationResult): void {
    this.#sums.seeds += 1;
    for (const key of ["healed_s", "steps", "events", "attempts", "crashes", "replayed", "canceled"] as const)
      this.#sums[key] += result[key];
    if (Date.now() - this.#printed_ms > PROGRESS_MS) this.print();
  }

  print(): void {
    this.#printed_ms = Date.now();
    const seconds = Math.round((this.#printed_ms - this.#begun_ms) / 1_000);
    process.stdout.write(`simulated for ${seconds} s: ${JSON.stringify(this.#sums)}\n`);
  }
}

describe("the simulation", () => {
  test(
    "finds no violation with any seed",
    async () => {
      const begun = Date.now();
      const total = new Total();
      process.stdout.write(`New seeds start at ${FRESH + 1}\n`);
      for (const seed of seeds()) {
        if (Date.now() - begun >= SECONDS * 1_000) break;
        const racing = seed % 2 === 0; // racing is closer to production, but such a run cannot be replayed exactly
        const result = await simulate(seed, { racing });
        if (result.findings.length > 0) process.stdout.write(`FOUND with SIM_SEED=${seed}: ${result.findings[0]}\n`);
        expect(result.findings, `repeat it with SIM_SEED=${seed}${racing ? ", possibly several times" : ""}`).toEqual(
          [],
        );
        total.add(result);
      }
      total.print();
    },
    SECONDS * 1_000 + 120_000,
  );

  // This test may be retried. In two of about fifteen tries that followed other seeds, the second run of a seed
  // differed from the first. This never happened when the test ran alone. The cause is not known yet. A possible cause
  // is that PostgreSQL chooses which of two statements waiting for the same row continues first.
  test("replays a seed exactly", { retry: 2, timeout: 400_000 }, async () => {
    const results: SimulationResult[] = [];
    for (const seed of EXACT_SEEDS) {
      const [first, second] = [await simulate(seed), await simulate(seed)];
      expect(second).toEqual(first);
      results.push(first);
    }
    for (const kind of ["crashes", "replayed", "canceled"] as const)
      expect(Math.max(...results.map((result) => result[kind])), `choose seeds of which one has ${kind}`).not.toBe(0);
  });
});

type Plant = NonNullable<SimulationOptions["plant"]>;
type Change = [text: string, by: string];

/** Plants a bug by replacing one piece of text in each of these statements. */
function planted(changes: Record<string, Change>): Plant {
  return {
    rewrite(statement) {
      const { name } = statement;
      const [text, by] = changes[name] ?? ["", ""];
      if (!statement.text.includes(text)) throw new Error(`${name} no longer contains: ${text}`);
      return { name, text: statement.text.replace(text, by) };
    },
  };
}

/** Plants a bug by not running the statements that `isLost` chooses. `times` counts the runs of each statement. */
function lost(isLost: (name: string, times: number) => boolean): Plant {
  const runs = new Map<string, number>();
  return {
    rewrite(statement) {
      const times = (runs.get(statement.name) ?? 0) + 1;
      runs.set(statement.name, times);
      return isLost(statement.name, times) ? null : statement;
    },
  };
}

const BUGS: [what: string, plant: Plant, found: RegExp, from?: number][] = [
  [
    "a settle without its fencing token",
    planted({ queue_settle: ["and r.attempt = s.attempt", ""] }),
    /while|not pending|has ended|without a lease|before|does not count/,
    19, // the first seed that finds this bug; later seeds find it too
  ],
  [
    "a settle of a delivery that is now leased to another node",
    planted({
      queue_settle: [
        "and r.attempt = s.attempt",
        "and (r.attempt = s.attempt or r.leased_until > statement_timestamp())",
      ],
    }),
    /while|not pending|has ended|without a lease|before|does not count/,
    19,
  ],
  [
    "a claim without a lease",
    planted({
      queue_claim: [
        "statement_timestamp() + $3::float8 * interval '1 ms'\n",
        "'-infinity'::timestamptz + $3::float8 * interval '0 ms'\n",
      ],
    }),
    /without a lease|while/,
  ],
  [
    "a lost release that the sweeper misses",
    lost((name, times) => name === "queue_release_stranded" || (name === "queue_release" && times % 3 === 0)),
    /not drained/,
  ],
  [
    "a later event that does not wait for the earlier one",
    planted({ queue_record: ["t.ordering = 'video' and t.before is not null", "false"] }),
    /before|while/,
  ],
  [
    "a release while an earlier event is pending",
    planted({
      queue_release: ["lower.sequence < o.sequence", "lower.sequence < o.sequence and lower.due_at = '-infinity'"],
    }),
    /before|while/,
  ],
  [
    "a cancellation of a delivery that is being sent",
    planted({ queue_cancel: ["and o.leased_until < now()", ""] }),
    /not pending|while|before/,
  ],
  ["retries without jitter", { fraction: () => 0.5 }, /no jitter/],
];

describe("the simulation finds this planted bug:", () => {
  test.each(BUGS)("%s", { timeout: 300_000 }, async (_what, plant, found, from = 1) => {
    for (let seed = from; seed < from + SEEDS_PER_BUG; seed++) {
      const { findings } = await simulate(seed, { plant, healing_ms: 90_000 });
      if (findings.length === 0) continue;
      console.log(`found by seed ${seed}: ${findings[0]}`);
      expect(findings[0]).toMatch(found);
      return;
    }
    expect.fail(`not found with ${SEEDS_PER_BUG} seeds`);
  });
});
