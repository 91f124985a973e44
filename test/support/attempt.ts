import type { Timings } from "../../server/src/net/exchange.ts";
import type { EndedAttempt } from "../../server/src/webhooks/health.ts";

export interface Ended {
  at_ms: number;
  /** Null if there was no response. */
  status?: number | null;
  word?: "status" | "timeout" | "connection_refused";
  timings?: Partial<Timings>;
  certificateUntil?: Date | null;
}

const REUSED: Timings = { dns: null, connect: null, tls: null, first_byte: null, total: 1, reused: true };

/** Builds an attempt that has ended, as reported by the engine. @param webhook the webhook's UUID */
export function attemptEnded(space: string, webhook: string, ended: Ended): EndedAttempt {
  const { at_ms, status = 200, word = "status", certificateUntil = null } = ended;
  const succeeded = status === 200;
  const error = succeeded ? null : { word, code: "X" };
  return {
    at_ms,
    target: { space, webhook },
    exchange: { status, error, timings: { ...REUSED, ...ended.timings }, certificateUntil },
    outcome: { result: succeeded ? "succeeded" : "retry", error },
  } as EndedAttempt;
}
