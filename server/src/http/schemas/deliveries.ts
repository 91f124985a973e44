import { type Static, Type } from "typebox";
import { LIMITS } from "../../kernel/limits.ts";
import {
  body,
  id,
  idOrNull,
  integer,
  integerOrNull,
  listOf,
  numberOrNull,
  objectWord,
  page,
  ref,
  resource,
  text,
  textOrNull,
  texts,
  time,
  timeOrNull,
  videoId,
  word,
} from "./common.ts";
import { EVENT_TYPE_WORDS, eventType } from "./webhooks.ts";

export const OPEN_STATUSES = ["waiting", "sending", "retrying", "held"] as const;
export const FINISHED_STATUSES = ["succeeded", "failed", "canceled"] as const;
const STATUSES = [...OPEN_STATUSES, ...FINISHED_STATUSES] as const;

const Timings = Type.Object(
  {
    dns: numberOrNull("Milliseconds."),
    connect: numberOrNull("Milliseconds."),
    tls: numberOrNull("Milliseconds."),
    first_byte: numberOrNull("Milliseconds: the receiver's own time."),
    total: numberOrNull("Milliseconds."),
    reused: Type.Boolean({ description: "Whether an open connection was used." }),
  },
  { description: "Where the time went." },
);

/** Null where nothing came back. */
const response = Type.Unsafe<{
  headers: [string, string][];
  body: string;
  encoding: "utf8" | "base64";
  bytes: number;
  cut: boolean;
} | null>({
  type: ["object", "null"],
  description: "What the receiver answered.",
  properties: {
    headers: {
      type: "array",
      description: "Name and value, in the order received.",
      items: { type: "array", items: { type: "string" }, minItems: 2, maxItems: 2 },
    },
    body: { type: "string", description: "As received, cut at 16 KiB." },
    encoding: { type: "string", enum: ["utf8", "base64"], description: "base64 where the bytes are not text." },
    bytes: { type: "integer", description: "How many bytes were read." },
    cut: { type: "boolean", description: "Whether there was more than is kept." },
  },
  required: ["headers", "body", "encoding", "bytes", "cut"],
});

const attemptError = Type.Unsafe<{ word: string; code: string | null; message: string } | null>({
  type: ["object", "null"],
  description: "Why no response came, or why it did not count.",
  properties: {
    word: { type: "string", description: "A word of a closed set, such as connect_refused." },
    code: { type: ["string", "null"], description: "What the system said, such as ECONNREFUSED." },
    message: { type: "string", description: "A sentence for people." },
  },
  required: ["word", "code", "message"],
});

export const Attempt = resource("Attempt", "One HTTP request made for a delivery.", {
  object: objectWord("attempt"),
  number: integer("1 for the first."),
  started: time("When it began."),
  started_ms: integer("The same in Unix milliseconds."),
  outcome: word(["succeeded", "retry", "failed", "canceled"], { description: "What followed from it." }),
  url: text("The URL it used."),
  status: integerOrNull("The HTTP status of the response."),
  error: attemptError,
  note: textOrNull("What went wrong after the status was known."),
  timings: Timings,
  address: textOrNull("The IP address connected to."),
  request: Type.Object({
    headers: texts("As sent; values of your own headers are hidden."),
    body: text("The event's frozen bytes; empty where they are no longer kept."),
  }),
  response,
});
export type Attempt = Static<typeof Attempt>;

const fields = {
  id: id(),
  object: objectWord("delivery"),
  created: time("When its event happened."),
  webhook: id("The webhook it is for."),
  event: id("The event it delivers."),
  type: eventType("The event's type."),
  video: textOrNull("The video it is about."),
  sequence: integer("The event's number within its video."),
  previous: integer("The number of the last earlier event of that video that this webhook was due; 0: none."),
  status: word(STATUSES, {
    description: "`held`: its webhook is paused or disabled. `waiting`, `sending`, `retrying` and `held` are open.",
  }),
  reason: textOrNull("Why it was canceled."),
  attempts: integer("Attempts begun."),
  max_attempts: integer("Attempts at most."),
  next_attempt: timeOrNull("When the next attempt is due."),
  last_attempt: Type.Unsafe<{
    started: number;
    status: number | null;
    error: string | null;
    duration_ms: number | null;
  } | null>({
    type: ["object", "null"],
    description: "How the last attempt went.",
    properties: {
      started: { type: "integer", description: "Unix seconds." },
      status: { type: ["integer", "null"], description: "The HTTP status." },
      error: { type: ["string", "null"], description: "The error word." },
      duration_ms: { type: ["number", "null"], description: "Milliseconds in all." },
    },
    required: ["started", "status", "error", "duration_ms"],
  }),
  waits_for: idOrNull("The delivery of an earlier event of the same video that has to end first."),
};

export const Delivery = resource("Delivery", "One event for one webhook.", fields);
export type Delivery = Static<typeof Delivery>;
export const DeliveryList = listOf(Delivery);
export const DeliveryWithLog = resource("DeliveryWithLog", "A delivery with its attempts.", {
  ...fields,
  log: Type.Array(ref(Attempt), { description: "Its attempts, newest last." }),
  erased: timeOrNull("When its event's data, and headers and bodies of its attempts, were erased."),
});

export const DeliveryQuery = body({
  ...page,
  webhook: Type.Optional(id("Only those for this webhook.")),
  event: Type.Optional(id("Only those of this event.")),
  video: Type.Optional(videoId("Only those about this video.")),
  type: Type.Optional(word(EVENT_TYPE_WORDS, { description: "Only those of this event type." })),
  status: Type.Optional(
    word([...STATUSES, "pending"], { description: "Only these; `pending`: all that are not finished." }),
  ),
  response: Type.Optional(
    word(["2xx", "3xx", "4xx", "5xx", "none"], { description: "Only those whose last response is of this class." }),
  ),
  since: Type.Optional(time("Only those of events from here on.")),
  until: Type.Optional(time("Only those of events before.")),
});

export const REPLAY_STATUSES = ["running", "paused", "done", "canceled"] as const;
export const Replay = resource("Replay", "A durable job that delivers past events again.", {
  id: idOrNull("Null for a dry run."),
  object: objectWord("replay"),
  created: time("When it was asked for."),
  webhook: id("Where the events go."),
  since: time("The first moment."),
  until: time("The moment after the last."),
  statuses: Type.Unsafe<string[] | null>({
    type: ["array", "null"],
    items: { type: "string" },
    description: "Only these.",
  }),
  types: Type.Unsafe<string[] | null>({
    type: ["array", "null"],
    items: { type: "string" },
    description: "Only these.",
  }),
  video: textOrNull("Only those of this video."),
  rate: integerOrNull("Deliveries per second at most; null: no limit."),
  status: word([...REPLAY_STATUSES, "dry_run"], { description: "How far it is." }),
  total: integer(
    "How many events it is about; exact when it is done, as some may end or be delivered otherwise meanwhile.",
  ),
  done: integer("How many of them have been handed to delivery, those not counted that a cancellation took back."),
  first: timeOrNull("The first event's time."),
  last: timeOrNull("The last event's time."),
  finished: timeOrNull("When it was done or canceled."),
});
export const ReplayList = listOf(Replay);
export const ReplayCreate = body(
  {
    webhook: id("Where the events go."),
    since: time("The first moment."),
    until: time("The moment after the last."),
    statuses: Type.Optional(
      Type.Array(word([...FINISHED_STATUSES, "never"]), {
        description: "Only events whose delivery ended so; `never`: there was none. Left out: all of them.",
        minItems: 1,
        uniqueItems: true,
      }),
    ),
    types: Type.Optional(
      Type.Array(word(EVENT_TYPE_WORDS), {
        description: "Left out: those the webhook has chosen.",
        minItems: 1,
        uniqueItems: true,
      }),
    ),
    video: Type.Optional(videoId("Only those of this video.")),
    rate: Type.Optional(
      integerOrNull(
        "Deliveries per second at most; null: as fast as the receiver answers, which live traffic may feel.",
        {
          minimum: 1,
          maximum: 10_000,
          default: LIMITS.REPLAY_RATE,
        },
      ),
    ),
    dry_run: Type.Optional(Type.Boolean({ description: "Only count.", default: false })),
  },
  { $id: "ReplayCreate", description: "What to deliver again." },
);
export const ReplayUpdate = body(
  { status: word(["running", "paused"], { description: "Go on, or pause." }) },
  { $id: "ReplayUpdate", description: "Pause or go on." },
);
export const ReplayQuery = body({ ...page, webhook: Type.Optional(id("Only those for this webhook.")) });

export const Cancellation = resource("Cancellation", "Open deliveries that were ended without being sent.", {
  object: objectWord("cancellation"),
  dry_run: Type.Boolean({ description: "Whether it only counted." }),
  total: integer("How many deliveries it ended, or would end."),
  first: timeOrNull("When the event of the first of them happened."),
  last: timeOrNull("When the event of the last of them happened."),
  has_more: Type.Boolean({ description: "Whether there may be more than one request ends or counts: ask again." }),
});
export const CancellationCreate = body(
  {
    webhook: Type.Optional(id("Only those for this webhook.")),
    event: Type.Optional(id("Only those of this event.")),
    video: Type.Optional(videoId("Only those about this video.")),
    type: Type.Optional(word(EVENT_TYPE_WORDS, { description: "Only those of this event type." })),
    status: Type.Optional(
      word(["waiting", "retrying", "held", "pending"], {
        description: "Only these; `pending`: all that are not finished.",
      }),
    ),
    since: Type.Optional(time("Only those of events from here on.")),
    until: Type.Optional(time("Only those of events before.")),
    reason: Type.Optional(
      text("Shown with each of them, beside who did it.", {
        minLength: 1,
        maxLength: LIMITS.DESCRIPTION_CHARACTERS_MAX,
      }),
    ),
    dry_run: Type.Optional(Type.Boolean({ description: "Only count.", default: false })),
  },
  {
    $id: "CancellationCreate",
    description: "Which open deliveries to cancel. Nothing named would be all of them: say so by `status: open`.",
  },
);
