import { type Clock, unixSeconds } from "../kernel/clock.ts";
import { MaveError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Log } from "../kernel/log.ts";
import { longUuid, shortUuid } from "../kernel/short-uuid.ts";
import type { Exchange } from "../net/exchange.ts";
import type { Database } from "../store/db.ts";
import {
  addHealth,
  type HealthMark,
  type HourCounts,
  type HourRow,
  listHours,
  measureBacklog,
} from "../store/webhook-hours.ts";
import { getWebhook } from "../store/webhooks.ts";
import { drainSeconds } from "./drain.ts";
import { bucketOf, quantile } from "./histogram.ts";
import { disablesAt } from "./webhook.ts";

/** Durations in milliseconds. Null if there were no attempts. */
interface Quantiles {
  p50: number | null;
  p95: number | null;
}

const PHASES = ["dns", "connect", "tls", "first_byte", "total"] as const;
type Phase = (typeof PHASES)[number];

interface ErrorCount {
  word: string;
  count: number;
}

/** The API object for a webhook's health over the last 24 hours. Times are in Unix seconds. */
export interface WebhookHealth {
  object: "webhook_health";
  webhook: string;
  success_rate: number | null;
  succeeded: number;
  failed: number;
  response_ms: Quantiles;
  phases: Record<Phase, Quantiles>;
  errors: ErrorCount[];
  pending: number;
  oldest_pending: number | null;
  drain_seconds: number | null;
  failing_since: number | null;
  disables_at: number | null;
  certificate_until: number | null;
  hours: ({ hour: number; succeeded: number; failed: number; errors: ErrorCount[] } & Quantiles)[];
}

const HOUR_MS = 3_600_000; // the unit in which counts are stored
const HOURS_SHOWN = 24;

/** A completed attempt, as reported by the delivery engine. */
export interface EndedAttempt {
  target: { space: string; webhook: string; url: string };
  exchange: Exchange;
  outcome: { result: "succeeded" | "retry" | "failed"; error: Exchange["error"]; isGone: boolean };
  /** When the attempt started, in Unix milliseconds. */
  at_ms: number;
}

interface HealthParts {
  db: Database;
  clock: Clock;
  log: Log;
}

/**
 * Counts the outcomes of each webhook's attempts in memory and saves them every HEALTH_FLUSH_MS. That way, one
 * transaction covers all webhooks, instead of one per delivery.
 */
export class Health {
  readonly #parts: HealthParts;
  #hours = new Map<string, HourCounts>();
  #marks = new Map<string, HealthMark>();
  #flushing = false;

  constructor(parts: HealthParts) {
    this.#parts = parts;
  }

  /** Counts an attempt, unless it ended because this server shut down. Must be called after every attempt. */
  note(ended: EndedAttempt): void {
    if (ended.outcome.error?.word === "stopped") return;
    this.#count(ended);
    this.#mark(ended);
    this.#flushSoon();
  }

  #count({ target, exchange, outcome, at_ms }: EndedAttempt): void {
    const hour = this.#hourOf(target.space, target.webhook, at_ms - (at_ms % HOUR_MS));
    for (const phase of PHASES) {
      const ms = exchange.timings[phase];
      if (ms !== null) count(hour.timings, `${phase} ${bucketOf(ms)}`);
    }
    if (outcome.result === "succeeded") {
      hour.succeeded += 1;
      return;
    }
    hour.failed += 1;
    const word = outcome.error?.word ?? "status";
    count(hour.errors, word === "status" ? String(exchange.status) : word);
  }

  /**
   * Updates the webhook's health mark. There is one mark per webhook, not one per hour, so that marks in a flush cannot
   * contradict each other.
   */
  #mark({ target, exchange, outcome, at_ms }: EndedAttempt): void {
    const { space: space_id, webhook: webhook_id } = target;
    const none = { space_id, webhook_id, succeeded: false, failing_ms: null, certificate_ms: null };
    const mark = this.#marks.get(webhook_id) ?? none;
    const succeeded = outcome.result === "succeeded";
    this.#marks.set(webhook_id, {
      ...mark,
      succeeded: mark.succeeded || succeeded,
      failing_ms: succeeded ? null : (mark.failing_ms ?? at_ms),
      certificate_ms: exchange.certificateUntil?.getTime() ?? mark.certificate_ms,
    });
  }

  #hourOf(space_id: string, webhook_id: string, hour_ms: number): HourCounts {
    const key = `${webhook_id} ${hour_ms}`;
    const known = this.#hours.get(key);
    if (known !== undefined) return known;
    const hour = { space_id, webhook_id, hour_ms, succeeded: 0, failed: 0, errors: {}, timings: {} };
    this.#hours.set(key, hour);
    return hour;
  }

  #flushSoon(): void {
    if (this.#flushing) return;
    this.#flushing = true;
    this.#parts.clock.after(LIMITS.HEALTH_FLUSH_MS, () => {
      this.#flushing = false;
      void this.flush();
    });
  }

  /** Saves the counts. If saving fails, they are discarded, but the attempt log still has every attempt. */
  async flush(): Promise<void> {
    const [hours, marks] = [[...this.#hours.values()], [...this.#marks.values()]];
    this.#hours = new Map();
    this.#marks = new Map();
    if (hours.length === 0) return;
    await this.#parts.db
      .transaction((tx) => addHealth(tx, hours, marks))
      .catch((err: unknown) =>
        this.#parts.log.warn({ err }, "Failed to save webhook health; counts for this interval are lost"),
      );
  }

  /** @param id the webhook's short id @throws NOT_FOUND */
  async get(space: string, id: string): Promise<WebhookHealth> {
    const { db, clock } = this.#parts;
    const uuid = longUuid(id);
    const webhook = uuid === null ? undefined : await getWebhook(db, space, uuid);
    if (webhook === undefined) throw new MaveError("NOT_FOUND");
    const last_ms = clock.now() - (clock.now() % HOUR_MS);
    const first_ms = last_ms - (HOURS_SHOWN - 1) * HOUR_MS;
    const [hours, backlog] = await Promise.all([
      listHours(db, space, webhook.id, new Date(first_ms - 1)),
      measureBacklog(db, space, webhook.id, LIMITS.BACKLOG_COUNTED_MAX),
    ]);
    const { failing_since, certificate_until, rate_limit } = webhook;
    const day = summary(hours);
    return {
      object: "webhook_health",
      webhook: shortUuid(webhook.id),
      ...day,
      pending: backlog.pending,
      oldest_pending: backlog.oldest && unixSeconds(backlog.oldest.getTime()),
      drain_seconds: drainSeconds(backlog.pending, {
        rate_limit,
        p50_ms: day.response_ms.p50,
        rest_ms: webhook.waits_until === null ? 0 : webhook.waits_until.getTime() - clock.now(),
      }),
      failing_since: failing_since && unixSeconds(failing_since.getTime()),
      disables_at: disablesAt(webhook),
      certificate_until: certificate_until && unixSeconds(certificate_until.getTime()),
      hours: Array.from({ length: HOURS_SHOWN }, (_, index) => hourOf(hours, first_ms + index * HOUR_MS)),
    };
  }
}

function count(counts: Record<string, number>, key: string): void {
  counts[key] = (counts[key] ?? 0) + 1;
}

function summary(hours: HourRow[]) {
  const succeeded = hours.reduce((sum, hour) => sum + hour.succeeded, 0);
  const failed = hours.reduce((sum, hour) => sum + hour.failed, 0);
  const phases = Object.fromEntries(PHASES.map((phase) => [phase, quantilesOf(hours, phase)]));
  return {
    success_rate: succeeded + failed === 0 ? null : succeeded / (succeeded + failed),
    succeeded,
    failed,
    response_ms: quantilesOf(hours, "total"),
    phases: phases as Record<Phase, Quantiles>,
    errors: errorsOf(hours),
  };
}

function errorsOf(hours: HourRow[]): ErrorCount[] {
  const errors: Record<string, number> = {};
  for (const hour of hours)
    for (const [word, times] of Object.entries(hour.errors)) errors[word] = (errors[word] ?? 0) + times;
  return Object.entries(errors)
    .map(([word, count]) => ({ word, count }))
    .sort((a, b) => b.count - a.count);
}

function quantilesOf(hours: HourRow[], phase: Phase): Quantiles {
  const counts: number[] = [];
  for (const { timings } of hours)
    for (const [key, times] of Object.entries(timings)) {
      const [of, bucket] = key.split(" ") as [string, string];
      if (of === phase) counts[Number(bucket)] = (counts[Number(bucket)] ?? 0) + times;
    }
  const filled = Array.from(counts, (times) => times ?? 0);
  return { p50: quantile(filled, 0.5), p95: quantile(filled, 0.95) };
}

function hourOf(hours: HourRow[], hour_ms: number) {
  const row = hours.find(({ hour }) => hour.getTime() === hour_ms);
  const rows = row === undefined ? [] : [row];
  const { succeeded = 0, failed = 0 } = row ?? {};
  return { hour: unixSeconds(hour_ms), succeeded, failed, errors: errorsOf(rows), ...quantilesOf(rows, "total") };
}
