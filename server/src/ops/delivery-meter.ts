import { Counter, Histogram } from "prom-client";
import type { EndedAttempt } from "../webhooks/health.ts";

export interface DeliveryMeter {
  /** Counts an attempt. */
  attempted(ended: Pick<EndedAttempt, "exchange" | "outcome">): void;
  /** Records how long a claim or settle statement ran. */
  timed(statement: "claim" | "settle", duration_ms: number): void;
  /** The metrics to register. */
  series: (Counter<string> | Histogram<string>)[];
}

const registers: [] = []; // none here, because `createMetrics` registers these metrics

/**
 * Measures this node's attempts. No label contains a webhook or space id, because each id would add a series that never
 * goes away; the webhook's health has the per-webhook numbers. Error words can be labels because the set is fixed.
 */
export function createDeliveryMeter(): DeliveryMeter {
  const counts: Record<string, Record<string, number>> = {}; // cheaper than counting with prom-client labels
  const attempts = new Counter({
    name: "mave_attempts_total",
    help: "Attempts made by this node since it started, by outcome and error word.",
    labelNames: ["outcome", "error"],
    registers,
    collect() {
      this.reset();
      for (const [outcome, words] of Object.entries(counts))
        for (const [error, count] of Object.entries(words)) this.inc({ outcome, error }, count);
    },
  });
  const attempt = seconds(
    "mave_attempt_duration_seconds",
    "Duration of an attempt, including the receiver's response.",
    SLOW,
  );
  const claim = seconds("mave_claim_duration_seconds", "Duration of claiming a batch of due deliveries.", QUICK);
  const settle = seconds("mave_settle_duration_seconds", "Duration of settling a batch of outcomes.", QUICK);
  return {
    series: [attempts, attempt, claim, settle],
    attempted({ exchange, outcome }) {
      counts[outcome.result] ??= {};
      const words = counts[outcome.result]!;
      const word = outcome.error?.word ?? "none";
      words[word] = (words[word] ?? 0) + 1;
      attempt.observe(exchange.timings.total / 1000);
    },
    timed: (statement, duration_ms) => (statement === "claim" ? claim : settle).observe(duration_ms / 1000),
  };
}

const QUICK = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];
const SLOW = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15];

const seconds = (name: string, help: string, buckets: number[]) => new Histogram({ name, help, buckets, registers });
