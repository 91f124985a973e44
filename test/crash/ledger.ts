import { expect } from "vitest";
import { eventually } from "../support/eventually.ts";
import { all, type Caller, call } from "./api.ts";
import type { Acknowledged } from "./load.ts";
import type { LoggingReceiver, Received } from "./receiver.ts";

interface EventView {
  id: string;
  type: string;
  sequence: number;
  data: { id: string };
}

interface AttemptView {
  number: number;
  outcome: string;
  status: number | null;
  error: { word: string } | null;
}

interface DeliveryView {
  id: string;
  webhook: string;
  event: string;
  status: string;
  log: AttemptView[];
}

/** What was compared, and everything that contradicts the promises: an empty list of findings is the proof. */
export interface Ledger {
  events: number;
  deliveries: number;
  /** Requests that the receiver saw. */
  received: Received[];
  /** Requests that the log of attempts does not know: sent, and not settled when their process died. */
  unrecorded: Received[];
  /** Deliveries that were answered 2xx more than once; a response that its sender had given up waiting for is none. */
  duplicates: string[];
  findings: string[];
}

export interface LedgerInput {
  caller: Caller;
  receiver: LoggingReceiver;
  /** Webhook id by the receiver's path. */
  webhooks: Map<string, string>;
  acknowledged: Acknowledged;
}

/** Compares what the callers were promised, what the API says, and what the receiver saw, row by row. */
export async function compare({ caller, receiver, webhooks, acknowledged }: LedgerInput): Promise<Ledger> {
  const events = await listedEvents(caller, acknowledged);
  const deliveries = await withLogs(caller, await all<DeliveryView>(caller, "/v1/deliveries"));
  const received = receiver.read();
  const byDelivery = Map.groupBy(received, ({ delivery }) => delivery);
  const findings = [
    ...missingEvents(events, acknowledged),
    ...gapsInSequences(events),
    ...missingDeliveries(events, deliveries, webhooks),
    ...deliveries.flatMap((delivery) => undelivered(delivery, byDelivery.get(delivery.id) ?? [])),
    ...strangers(received, deliveries),
    ...settledTwice(deliveries),
    ...differingBodies(received),
    ...overlaps(byDelivery),
    ...disorder(received),
  ];
  const known = new Map(deliveries.flatMap(({ id, log }) => log.map((one) => [`${id}.${one.number}`, one] as const)));
  const logged = ({ delivery, attempt }: Received) => known.get(`${delivery}.${attempt}`);
  const successes = received.filter(
    (one) => one.answered !== null && one.answered < 300 && logged(one)?.status !== null,
  );
  return {
    events: events.length,
    deliveries: deliveries.length,
    received,
    unrecorded: received.filter((one) => logged(one) === undefined),
    duplicates: [...Map.groupBy(successes, ({ delivery }) => delivery)]
      .filter(([, own]) => own.length > 1)
      .map(([delivery]) => delivery),
    findings,
  };
}

/**
 * The list leaves out what lies behind an older transaction that is still open, of whichever database of the server: other
 * tests' too. So it is read until all is there, or long enough.
 */
async function listedEvents(caller: Caller, acknowledged: Acknowledged): Promise<EventView[]> {
  const read = async () => (await all<EventView>(caller, "/v1/events")).filter(({ type }) => type.startsWith("video."));
  const whole = eventually(async () => {
    const events = await read();
    expect(missingEvents(events, acknowledged)).toEqual([]);
    return events;
  });
  return whole.catch(read);
}

async function withLogs(caller: Caller, deliveries: DeliveryView[]): Promise<DeliveryView[]> {
  const whole: DeliveryView[] = [];
  const waiting = deliveries.map(({ id }) => id);
  const worker = async (): Promise<void> => {
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop())
      whole.push((await call<DeliveryView>(caller, "GET", `/v1/deliveries/${id}`)).body);
  };
  await Promise.all(Array.from({ length: 8 }, worker));
  return whole;
}

/** A 2xx for a change means that the change and its event are committed. */
function missingEvents(events: EventView[], { created, deleted }: Acknowledged): string[] {
  const known = new Set(events.map(({ type, data }) => `${type} ${data.id}`));
  const due = [...[...created].map((id) => `video.created ${id}`), ...[...deleted].map((id) => `video.deleted ${id}`)];
  return due.filter((event) => !known.has(event)).map((event) => `acknowledged, but no event: ${event}`);
}

/** Each video's events count from 1 without a gap; none happened twice. */
function gapsInSequences(events: EventView[]): string[] {
  return [...Map.groupBy(events, ({ data }) => data.id)].flatMap(([video, own]) => {
    const sequences = own.map(({ sequence }) => sequence).sort((one, other) => one - other);
    return sequences.every((sequence, index) => sequence === index + 1) ? [] : [`${video} has events ${sequences}`];
  });
}

/** No event without its deliveries, one for each webhook. */
function missingDeliveries(events: EventView[], deliveries: DeliveryView[], webhooks: Map<string, string>): string[] {
  const counts = new Map<string, number>();
  for (const { event, webhook } of deliveries)
    counts.set(`${event} ${webhook}`, (counts.get(`${event} ${webhook}`) ?? 0) + 1);
  return events.flatMap(({ id }) =>
    [...webhooks.values()]
      .filter((webhook) => counts.get(`${id} ${webhook}`) !== 1)
      .map((webhook) => `event ${id} has ${counts.get(`${id} ${webhook}`) ?? 0} deliveries for ${webhook}`),
  );
}

/** No committed event undelivered; and each attempt that the API tells of is one that the receiver saw, with its response. */
function undelivered({ id, status, log }: DeliveryView, seen: Received[]): string[] {
  const findings: string[] = [];
  if (status !== "succeeded") findings.push(`delivery ${id} is ${status}`);
  if (!seen.some(({ answered }) => answered !== null && answered < 300)) findings.push(`delivery ${id} never arrived`);
  for (const attempt of log) {
    const requests = seen.filter((one) => one.attempt === attempt.number);
    const known = requests.some(({ answered }) => answered === attempt.status);
    if (attempt.status !== null && !known)
      findings.push(`delivery ${id}, attempt ${attempt.number}: the API says ${attempt.status}, the receiver does not`);
    if (requests.length > 1)
      findings.push(`delivery ${id}, attempt ${attempt.number} was sent ${requests.length} times`);
  }
  return findings;
}

/** Whatever arrived is known to the API, and is signed. */
function strangers(received: Received[], deliveries: DeliveryView[]): string[] {
  const known = new Map(deliveries.map((delivery) => [delivery.id, delivery]));
  return received.flatMap(({ delivery, event, attempt, verified }) => {
    if (!verified) return [`delivery ${delivery}, attempt ${attempt} did not verify`];
    return known.get(delivery)?.event === event ? [] : [`the API does not know delivery ${delivery} of event ${event}`];
  });
}

/** One row for each attempt, and one success at most, whichever nodes came to settle it. */
function settledTwice(deliveries: DeliveryView[]): string[] {
  return deliveries.flatMap(({ id, log }) => {
    const findings: string[] = [];
    if (new Set(log.map(({ number }) => number)).size < log.length) findings.push(`${id} has an attempt logged twice`);
    if (log.filter(({ outcome }) => outcome === "succeeded").length > 1) findings.push(`${id} succeeded twice`);
    return findings;
  });
}

/** A delivery is attempted by one node at a time: its requests do not overlap in the receiver's own log. */
function overlaps(byDelivery: Map<string, Pick<Received, "began_ms" | "at_ms" | "attempt">[]>): string[] {
  return [...byDelivery].flatMap(([delivery, own]) => {
    const inTime = own.toSorted((one, other) => one.began_ms - other.began_ms);
    return inTime.flatMap(({ began_ms, attempt }, index) => {
      const before = inTime[index - 1];
      if (before === undefined || began_ms >= before.at_ms) return [];
      return [`delivery ${delivery}: attempt ${attempt} began while attempt ${before.attempt} was under way`];
    });
  });
}

function differingBodies(received: Received[]): string[] {
  return [...Map.groupBy(received, ({ event }) => event)]
    .filter(([, own]) => new Set(own.map(({ digest }) => digest)).size > 1)
    .map(([event]) => `event ${event} was sent with different bytes`);
}

/** Within one webhook, a video's later event is not sent before the earlier one has been answered 2xx. */
function disorder(received: Received[]): string[] {
  const lines = Map.groupBy(received, ({ path, video }) => `${path} ${video}`);
  return [...lines].flatMap(([line, own]) => {
    let done = 0;
    return own.flatMap(({ sequence, previous, answered, delivery }) => {
      const early = previous > done;
      if (answered !== null && answered < 300) done = Math.max(done, sequence);
      return early ? [`${line}: ${sequence} (delivery ${delivery}) came before ${previous} had succeeded`] : [];
    });
  });
}
