/** What needs a person's eye about a webhook, in sentences. Pure. */
import type { Delivery, Health, Webhook } from "../api/types.ts";
import { shortResponse } from "../deliveries/attempt-text.ts";
import { day, moment, number, plural, span } from "../format.ts";
import { isFailing } from "../ui/status.tsx";

const [HOUR_S, DAY_S] = [3_600, 86_400];

export interface Known {
  webhook: Webhook;
  health: Health | undefined;
  /** Its newest delivery that was attempted. */
  last: Delivery | undefined;
}

export const deliveries = (count: number): string => plural(count, "delivery", "deliveries");
const are = (count: number): string => (count === 1 ? "is" : "are");

/** Only a certificate leaves no delivery waiting: it is said before it hurts. */
export type Matter = "disabled" | "paused" | "failing" | "certificate";

/** Two weeks: time to find out who renews it, also over a holiday. What renews by itself has done so by then. */
const CERTIFICATE_WARNED_S = 14 * DAY_S;
export const endsSoon = (until: number, now: number): boolean => until - now < CERTIFICATE_WARNED_S;

/** The worst that is the matter with a webhook; undefined while all is well. */
export function matter({ webhook, health }: Known, now: number): Matter | undefined {
  if (webhook.status !== "enabled") return webhook.status;
  if (isFailing(webhook)) return "failing";
  const until = health?.certificate_until ?? null;
  return until !== null && endsSoon(until, now) ? "certificate" : undefined;
}

/** "Every attempt has failed since 10:24. Last response: 503 Service Unavailable." */
export function headline(known: Known, now: number): string | undefined {
  const { webhook, health } = known;
  const what = matter(known, now);
  if (what === "disabled" || what === "paused") {
    const word = what === "disabled" ? "Disabled" : "Paused";
    return `${word} since ${moment(webhook.status_since, now)}. ${reason(webhook)}`.trim();
  }
  if (what === "failing") return failing(known, webhook.failing_since!, now);
  return what === "certificate" ? ending(health!.certificate_until!, now) : undefined;
}

function failing({ last }: Known, since: number, now: number): string {
  const response = last?.last_attempt && shortResponse(last.last_attempt.status, last.last_attempt.error);
  const words = `Every attempt has failed since ${moment(since, now)}.`;
  return response ? `${words} Last response: ${response}.` : words;
}

/** "Its certificate ends in 9 days, on 5 Dec 2026." */
function ending(until: number, now: number): string {
  if (until <= now) return `The certificate that was seen last ended on ${day(until)}.`;
  return `Its certificate ends in ${leftOf(until, now)}, on ${day(until)}.`;
}

/** How much longer a certificate is good, in one unit: "9 days", "30 h", "5 min", "40 s"; "" once it has ended. */
export function leftOf(until: number, now: number): string {
  const left = until - now;
  if (left <= 0) return "";
  const unit = [2 * DAY_S, HOUR_S, 60].find((from) => left >= from) ?? 1;
  return span(left - (left % Math.min(unit, DAY_S)));
}

/** What to do about a certificate that ends, or has ended. */
export const renewal = ({ health }: Known, now: number): string =>
  (health?.certificate_until ?? 0) > now
    ? "Renew it where the receiver runs; after that day attempts fail with “Certificate refused”."
    : "Renew it where the receiver runs: until then attempts fail with “Certificate refused”.";

const reason = ({ status_reason }: Webhook): string => {
  if (!status_reason) return "";
  return /[.!?]$/.test(status_reason) ? status_reason : `${status_reason}.`;
};

/** What waits because of it, and what happens if nobody acts. The next attempt is said by the page, which counts it down. */
export function held({ webhook, health }: Known): string {
  const open = health?.pending ?? 0;
  if (webhook.status === "enabled") return `${deliveries(open)} ${are(open)} open`;
  if (open === 0) return "Events are recorded for it and held; none has come so far.";
  const order = webhook.ordering === "video" && open > 1 ? ", each video's in order" : "";
  return `${deliveries(open)} ${are(open)} held and will be sent on resume${order}. Nothing is lost.`;
}

export function prediction({ webhook }: Known, now: number): string {
  if (webhook.disables_at === null) return "";
  return `If nothing succeeds until ${moment(webhook.disables_at, now)}, the webhook is disabled and its deliveries are held. Nothing is lost.`;
}

/**
 * "Send 1,204 deliveries that are held; the oldest happened 10:24? At most 50 per second: about 25 s if each succeeds.
 * Those due longest go first, new events after them; each video's stay in order."
 */
export function resumeWords(health: Backlog | undefined, { rate_limit, ordering }: Pace, now: number): string {
  if (health === undefined) return "Counting what is held…";
  const { pending: open, oldest_pending, drain_seconds } = health;
  if (open === 0) return "No deliveries are held; new events are sent at once.";
  const since = oldest_pending === null ? "" : `; the oldest happened ${moment(oldest_pending, now)}`;
  const pace = rate_limit === null ? "As fast as the receiver answers" : `At most ${number(rate_limit)} per second`;
  const time = drain_seconds === null ? "" : `: ${roughly(drain_seconds)} if each succeeds`;
  const turns = ordering === "video" ? `${TURNS}; each video's stay in order.` : `${TURNS}.`;
  return `Send ${deliveries(open)} that ${are(open)} held${since}? ${pace}${time}. ${turns}`;
}

const TURNS = "Those due longest go first, new events after them";

type Pace = Pick<Webhook, "rate_limit" | "ordering">;
type Backlog = Pick<Health, "pending" | "oldest_pending" | "drain_seconds">;

/** What is left to send, beside its count: "about 3 min left". Nothing where it is little, or nothing tells. */
export function leftWords({ pending: open, drain_seconds }: Backlog): string | undefined {
  return open === 0 || drain_seconds === null || drain_seconds < SAID_FROM_S
    ? undefined
    : `${roughly(drain_seconds)} left`;
}

/** Of so few seconds a page that is read every few seconds tells nothing. */
const SAID_FROM_S = 10;

/** An estimate is no promise: whole minutes from one and a half on. */
function roughly(seconds: number): string {
  if (seconds < 5) return "a few seconds";
  return `about ${span(seconds < 90 ? seconds : Math.round(seconds / 60) * 60)}`;
}
