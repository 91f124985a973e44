/** Describes webhook problems that need human attention, and the backlog they cause. */
import type { Delivery, Health, Webhook } from "../api/types.ts";
import { deliveryCount, shortResult } from "../deliveries/delivery-text.ts";
import { day, moment, number, span } from "../format.ts";
import { isFailing } from "../ui/status.tsx";

const [HOUR_S, DAY_S] = [3_600, 86_400];

export interface MonitoredWebhook {
  webhook: Webhook;
  /** Undefined while the health loads. */
  health: Health | undefined;
  /** The delivery with the most recent attempt. */
  last: Delivery | undefined;
}

export type WebhookProblem = "disabled" | "paused" | "failing" | "waiting" | "certificate";

/** Two weeks is enough to find out who renews a certificate, even over a holiday. Automatic renewal happens earlier. */
const CERTIFICATE_WARNED_S = 14 * DAY_S;
export const expiresSoon = (expiry: number, now: number): boolean => expiry - now < CERTIFICATE_WARNED_S;

/** Returns the webhook's most severe problem. */
export function problemOf({ webhook, health }: MonitoredWebhook, now: number): WebhookProblem | undefined {
  if (webhook.status !== "enabled") return webhook.status;
  if (isFailing(webhook)) return "failing";
  if (isAskedToWait(webhook, now)) return "waiting";
  const expiry = health?.certificate_until ?? null;
  return expiry !== null && expiresSoon(expiry, now) ? "certificate" : undefined;
}

/** Describes the problem: "Every attempt has failed since 10:24. Last response: 503 Service Unavailable." */
export function headline(monitored: MonitoredWebhook, now: number): string | undefined {
  const { webhook, health } = monitored;
  const problem = problemOf(monitored, now);
  if (problem === "disabled") return `Disabled since ${moment(webhook.status_since, now)}. ${reason(webhook)}`.trim();
  if (problem === "paused") return `Paused since ${moment(webhook.status_since, now)}. ${reason(webhook)}`.trim();
  if (problem === "failing") return failing(monitored, webhook.failing_since!, now);
  if (problem === "waiting") return waitText(webhook, now);
  return problem === "certificate" ? expiry(health!.certificate_until!, now) : undefined;
}

function failing({ webhook, last }: MonitoredWebhook, since: number, now: number): string {
  const result = last?.last_attempt && shortResult(last.last_attempt.status, last.last_attempt.error);
  const response = result ? `Last response: ${result}.` : "";
  const wait = isAskedToWait(webhook, now) ? waitText(webhook, now) : "";
  return [`Every attempt has failed since ${moment(since, now)}.`, response, wait].filter(Boolean).join(" ");
}

const isAskedToWait = ({ waits_until }: Webhook, now: number): boolean => waits_until !== null && waits_until > now;

const waitText = ({ waits_until }: Webhook, now: number): string =>
  `The receiver asked to wait until ${moment(waits_until!, now)}.`;

function expiry(at: number, now: number): string {
  if (at <= now) return `The receiver's TLS certificate expired on ${day(at)}.`;
  return `The receiver's TLS certificate expires in ${timeLeft(at, now)}, on ${day(at)}.`;
}

/** Formats the time until a certificate expires: "9 days", "30 h", "5 min", or "40 s". Returns "" if it has expired. */
export function timeLeft(at: number, now: number): string {
  const left = at - now;
  if (left <= 0) return "";
  const unit = [2 * DAY_S, HOUR_S, 60].find((from) => left >= from) ?? 1;
  return span(left - (left % Math.min(unit, DAY_S)));
}

const reason = ({ status_reason }: Webhook): string => {
  if (!status_reason) return "";
  return /[.!?]$/.test(status_reason) ? status_reason : `${status_reason}.`;
};

/** Explains what to do about a certificate that expires soon or has expired. */
export const renewalAdvice = ({ health }: MonitoredWebhook, now: number): string =>
  (health?.certificate_until ?? 0) > now
    ? "Renew it on the receiver. Once it has expired, attempts fail with “Certificate expired”."
    : "Renew it on the receiver. Until you do, attempts fail with “Certificate expired”.";

/** Explains how the problem affects pending deliveries. The banner adds a countdown to the next attempt. */
export function backlogText({ webhook, health }: MonitoredWebhook): string {
  const pending = health?.pending ?? 0;
  const are = pending === 1 ? "is" : "are";
  if (webhook.status === "enabled") return `${deliveryCount(pending)} ${are} pending`;
  if (pending === 0) return "New events are recorded and held.";
  const order = webhook.ordering === "video" && pending > 1 ? ", in order per video," : "";
  return `${deliveryCount(pending)} ${are} held and will be sent${order} when the webhook is resumed. Nothing is lost.`;
}

/** Says when the failing webhook will be disabled. */
export function disableWarning({ webhook }: MonitoredWebhook, now: number): string {
  if (webhook.disables_at === null) return "";
  return `If no delivery succeeds by ${moment(webhook.disables_at, now)}, this webhook will be disabled and its deliveries held. Nothing is lost.`;
}

type Backlog = Pick<Health, "pending" | "oldest_pending" | "drain_seconds">;

/**
 * Asks "Resume and send 1,204 held deliveries? They go out in order, at most 50 per second, before new events. This
 * takes about 25 s if every delivery succeeds. The oldest event is from 10:24."
 */
export function resumeText(
  health: Backlog | undefined,
  { rate_limit, ordering }: Pick<Webhook, "rate_limit" | "ordering">,
  now: number,
): string {
  if (health === undefined) return "Counting held deliveries…";
  const { pending, oldest_pending, drain_seconds } = health;
  if (pending === 0) return "No deliveries are held. New events are sent immediately.";
  const [theyGo, them] = pending === 1 ? ["It goes", "it"] : ["They go", "them"];
  const order = ordering === "video" && pending > 1 ? " in order," : "";
  const rate =
    rate_limit === null ? `as fast as the receiver accepts ${them}` : `at most ${number(rate_limit)} per second`;
  const duration = drain_seconds === null ? "" : ` This takes ${roughly(drain_seconds)} if every delivery succeeds.`;
  const oldest = oldest_pending === null ? "" : ` The oldest event is from ${moment(oldest_pending, now)}.`;
  return `Resume and send ${deliveryCount(pending, "held")}? ${theyGo} out${order} ${rate}, before new events.${duration}${oldest}`;
}

/** Returns "about 3 min left", or undefined if the backlog drains within seconds or its rate is unknown. */
export function drainText({ pending, drain_seconds }: Backlog): string | undefined {
  const isShown = pending > 0 && drain_seconds !== null && drain_seconds >= DRAIN_SHOWN_S;
  return isShown ? `${roughly(drain_seconds)} left` : undefined;
}

/** Health is fetched every few seconds, so shorter estimates would be outdated by the time they are shown. */
const DRAIN_SHOWN_S = 10;

/** Rounds to whole minutes from 90 seconds upward, because the value is an estimate. */
function roughly(seconds: number): string {
  if (seconds < 5) return "a few seconds";
  return `about ${span(seconds < 90 ? seconds : Math.round(seconds / 60) * 60)}`;
}
