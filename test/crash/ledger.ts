import { expect } from "vitest";
import { eventually } from "../support/eventually.ts";
import { all, type Caller, call } from "./caller.ts";
import type { Acknowledged } from "./load.ts";
import type { LoggingReceiver, Received } from "./logging-receiver.ts";

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

/** The result of the comparison. The test passes if there are no findings. */
export interface Ledger {
  events: number;
  deliveries: number;
  /** Requests in the receiver's log. */
  received: Received[];
  /** Requests without an attempt in the API. A kill must explain each of them (see losses.ts). */
  unrecorded: Received[];
  /** Deliveries with more than one 2xx response, not counting responses after the sender's timeout. */
  duplicates: string[];
  findings: string[];
}

export interface LedgerInput {
  caller: Caller;
  receiver: LoggingReceiver;
  /** Webhook ids, keyed by the receiver's path. */
  webhooks: Map<string, string>;
  acknowledged: Acknowledged;
}

/** Compares the changes acknowledged to callers, the API's data and the receiver's log. */
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
    ...unknownRequests(received, deliveries),
    ...settledTwice(deliveries),
    ...differingBodies(received),
    ...overlaps(byDelivery),
    ...outOfOrder(received),
  ];
  const attempts = new Map(
    deliveries.flatMap(({ id, log }) => log.map((attempt) => [`${id}.${attempt.number}`, attempt] as const)),
  );
  const attemptOf = ({ delivery, attempt }: Received) => attempts.get(`${delivery}.${attempt}`);
  const successes = received.filter((request) => isSuccess(request) && attemptOf(request)?.status !== null);
  return {
    events: events.length,
    deliveries: deliveries.length,
    received,
    unrecorded: received.filter((request) => attemptOf(request) === undefined),
    duplicates: [...Map.groupBy(successes, ({ delivery }) => delivery)]
      .filter(([, own]) => own.length > 1)
      .map(([delivery]) => delivery),
    findings,
  };
}

const isSuccess = ({ responded }: Received): boolean => responded !== null && responded < 300;

/**
 * Reads the list of events until it contains every acknowledged event or a timeout expires. The list omits events newer
 * than the oldest running transaction in any database on the PostgreSQL server, even if that transaction belongs to
 * another test.
 */
async function listedEvents(caller: Caller, acknowledged: Acknowledged): Promise<EventView[]> {
  const read = async () => (await all<EventView>(caller, "/v1/events")).filter(({ type }) => type.startsWith("video."));
  const complete = eventually(async () => {
    const events = await read();
    expect(missingEvents(events, acknowledged)).toEqual([]);
    return events;
  });
  return complete.catch(read);
}

async function withLogs(caller: Caller, deliveries: DeliveryView[]): Promise<DeliveryView[]> {
  const details: DeliveryView[] = [];
  const left = deliveries.map(({ id }) => id);
  const work = async (): Promise<void> => {
    for (let id = left.pop(); id !== undefined; id = left.pop())
      details.push((await call<DeliveryView>(caller, "GET", `/v1/deliveries/${id}`)).body);
  };
  await Promise.all(Array.from({ length: 8 }, work));
  return details;
}

/** Checks that the API has an event for each acknowledged change. */
function missingEvents(events: EventView[], { created, deleted }: Acknowledged): string[] {
  const known = new Set(events.map(({ type, data }) => `${type} ${data.id}`));
  const due = [...[...created].map((id) => `video.created ${id}`), ...[...deleted].map((id) => `video.deleted ${id}`)];
  return due.filter((event) => !known.has(event)).map((event) => `acknowledged, but no event: ${event}`);
}

/** Checks that each video's events are numbered from 1, without gaps or duplicates. */
function gapsInSequences(events: EventView[]): string[] {
  return [...Map.groupBy(events, ({ data }) => data.id)].flatMap(([video, own]) => {
    const sequences = own.map(({ sequence }) => sequence).sort((one, other) => one - other);
    return sequences.every((sequence, index) => sequence === index + 1) ? [] : [`${video} has events ${sequences}`];
  });
}

/** Checks that each event has exactly one delivery per webhook. */
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

/**
 * Checks that a delivery succeeded, and that each of its attempts with a response matches one request in the receiver's
 * log.
 */
function undelivered({ id, status, log }: DeliveryView, seen: Received[]): string[] {
  const findings: string[] = [];
  if (status !== "succeeded") findings.push(`delivery ${id} is ${status}`);
  if (!seen.some(isSuccess)) findings.push(`delivery ${id} never arrived`);
  for (const attempt of log) {
    const requests = seen.filter((request) => request.attempt === attempt.number);
    const isConfirmed = requests.some(({ responded }) => responded === attempt.status);
    if (attempt.status !== null && !isConfirmed)
      findings.push(`delivery ${id}, attempt ${attempt.number}: status ${attempt.status} is not in the receiver's log`);
    if (requests.length > 1)
      findings.push(`delivery ${id}, attempt ${attempt.number} was sent ${requests.length} times`);
  }
  return findings;
}

/** Checks that each request is signed and belongs to a delivery in the API. */
function unknownRequests(received: Received[], deliveries: DeliveryView[]): string[] {
  const byId = new Map(deliveries.map((delivery) => [delivery.id, delivery]));
  return received.flatMap(({ delivery, event, attempt, verified }) => {
    if (!verified) return [`delivery ${delivery}, attempt ${attempt} did not verify`];
    return byId.get(delivery)?.event === event ? [] : [`delivery ${delivery} of event ${event} is not in the API`];
  });
}

/**
 * Checks that each attempt has only one row and that at most one attempt per delivery succeeded, even if several nodes
 * settled the delivery.
 */
function settledTwice(deliveries: DeliveryView[]): string[] {
  return deliveries.flatMap(({ id, log }) => {
    const findings: string[] = [];
    if (new Set(log.map(({ number }) => number)).size < log.length) findings.push(`${id} has an attempt logged twice`);
    if (log.filter(({ outcome }) => outcome === "succeeded").length > 1) findings.push(`${id} succeeded twice`);
    return findings;
  });
}

/**
 * Checks that a delivery's requests do not overlap in the receiver's log, because only one node at a time may attempt a
 * delivery.
 */
function overlaps(byDelivery: Map<string, Pick<Received, "began_ms" | "at_ms" | "attempt">[]>): string[] {
  return [...byDelivery].flatMap(([delivery, own]) => {
    const inTime = own.toSorted((one, other) => one.began_ms - other.began_ms);
    return inTime.flatMap(({ began_ms, attempt }, index) => {
      const before = inTime[index - 1];
      if (before === undefined || began_ms >= before.at_ms) return [];
      return [`delivery ${delivery}: attempt ${attempt} began while attempt ${before.attempt} was in flight`];
    });
  });
}

function differingBodies(received: Received[]): string[] {
  return [...Map.groupBy(received, ({ event }) => event)]
    .filter(([, own]) => new Set(own.map(({ digest }) => digest)).size > 1)
    .map(([event]) => `event ${event} was sent with different bytes`);
}

/**
 * Checks that each webhook gets a video's event only after the delivery of the video's previous event has succeeded.
 */
function outOfOrder(received: Received[]): string[] {
  const lines = Map.groupBy(received, ({ path, video }) => `${path} ${video}`);
  return [...lines].flatMap(([line, own]) => {
    let succeeded = 0;
    return own.flatMap((request) => {
      const { sequence, previous, delivery } = request;
      const isEarly = previous > succeeded;
      if (isSuccess(request)) succeeded = Math.max(succeeded, sequence);
      return isEarly ? [`${line}: ${sequence} (delivery ${delivery}) was sent before ${previous} had succeeded`] : [];
    });
  });
}
