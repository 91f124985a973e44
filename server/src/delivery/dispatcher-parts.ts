import type { Clock } from "../kernel/clock.ts";
import type { Log } from "../kernel/log.ts";
import type { Random } from "../kernel/random.ts";
import type { Signals } from "../kernel/signals.ts";
import type { Tracing } from "../kernel/trace.ts";
import type { Exchange } from "../net/exchange.ts";
import type { SafeClient } from "../net/safe-client.ts";
import type { Database } from "../store/db.ts";
import type { Vault } from "../webhooks/secrets.ts";
import type { Outcome } from "./outcome.ts";
import type { Target } from "./targets.ts";

/** An attempt that has ended, as those hear of it who keep a webhook's health. */
export interface AttemptEnded {
  target: Target;
  exchange: Exchange;
  outcome: Outcome;
  /** When it began, Unix milliseconds. */
  at_ms: number;
}

/** Told how long the engine's own steps took, in milliseconds. */
export interface EngineMeter {
  claimed(duration_ms: number): void;
  settled(duration_ms: number): void;
}

export interface DispatcherParts {
  db: Database;
  clock: Clock;
  random: Random;
  log: Log;
  signals: Signals;
  vault: Vault;
  client: Pick<SafeClient, "send" | "drain" | "close">;
  /** This server's version, for the User-Agent. */
  version: string;
  /** Seconds before each retry. */
  schedule_s: readonly number[];
  attempt_ms: number;
  /** This node's number, or null while it has none. */
  node(): number | null;
  /** How many nodes there are: each takes its share of a rate limit. */
  nodes(): number;
  onAttempt(ended: AttemptEnded): void;
  meter?: EngineMeter;
  tracing?: Tracing | undefined;
}

export interface DispatcherStats {
  inFlight: number;
  slow: number;
  queued: number;
  unsettled: number;
  attempts: Record<"succeeded" | "retry" | "failed", number>;
  leasesLost: number;
}
