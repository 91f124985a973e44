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

export const PENDING_STATUSES = ["waiting", "sending", "retrying", "held"] as const;
export const FINISHED_STATUSES = ["succeeded", "failed", "canceled"] as const;
const STATUSES = [...PENDING_STATUSES, ...FINISHED_STATUSES] as const;

const Timings = Type.Object(
  {
    dns: numberOrNull("Milliseconds."),
    connect: numberOrNull("Milliseconds."),
    tls: numberOrNull("Milliseconds."),
    first_byte: numberOrNull("The receiver's processing time in milliseconds."),
    total: numberOrNull("Milliseconds."),
    reused: Type.Boolean({ description: "Whether an existing connection was reused." }),
  },
  { description: "Duration of each phase." },
);

const response = Type.Unsafe<{
  headers: [string, string][];
  body: string;
  encoding: "utf8" | "base64";
  bytes: number;
  cut: boolean;
} | null>({
  type: ["object", "null"],
  description: "The receiver's response, or null if there was none.",
  properties: {
    headers: {
      type: "array",
      description: "Names and values in the order received.",
      items: { type: "array", items: { type: "string" }, minItems: 2, maxItems: 2 },
    },
    body: { type: "string", description: "The first 16 KiB of the body." },
    encoding: { type: "string", enum: ["utf8", "base64"], description: "`base64` if the bytes are not text." },
    bytes: { type: "integer", description: "Bytes read." },
    cut: { type: "boolean", description: "Whether the body was truncated." },
  },
  required: ["headers", "body", "encoding", "bytes", "cut"],
});

const attemptError = Type.Unsafe<{ word: string; code: string | null; message: string } | null>({
  type: ["object", "null"],
  description: "Why the attempt failed; null if it succeeded.",
  properties: {
    word: { type: "string", description: "A word from a fixed list, such as `connect_refused`." },
    code: { type: ["string", "null"], description: "The operating system's error code, such as `ECONNREFUSED`." },
    message: { type: "string", description: "A human-readable explanation." },
  },
  required: ["word", "code", "message"],
});

export const Attempt = resource("Attempt", "One HTTP request made for a delivery.", {
  object: objectWord("attempt"),
  number: integer("The attempt number, starting at 1."),
  started: time("When the attempt started."),
  started_ms: integer("When the attempt started. Unix milliseconds."),
  outcome: word(["succeeded", "retry", "failed", "canceled"], { description: "The result of the attempt." }),
  url: text("The request URL."),
  status: integerOrNull("The HTTP status of the response."),
  error: attemptError,
  note: textOrNull("What failed after the status was received."),
  timings: Timings,
  address: textOrNull("The receiver's IP address."),
  request: Type.Object({
    headers: texts("The headers sent. The values of your custom headers are hidden."),
    body: text("The event's body, which is the same in every attempt. Empty if the event data was deleted or erased."),
  }),
  response,
});
export type Attempt = Static<typeof Attempt>;

const fields = {
  id: id(),
  object: objectWord("delivery"),
  created: time("When the event happened."),
  webhook: id("The webhook that receives the event."),
  event: id("The event."),
  type: eventType("The event type."),
  video: textOrNull("The event's video."),
  sequence: integer("The event's sequence number within its video."),
  previous: integer(
    "The sequence number of the video's previous event that this webhook receives, or 0 if there is none.",
  ),
  status: word(STATUSES, {
    description:
      "`held` means that the webhook is paused or disabled. `waiting`, `sending`, `retrying` and `held` are pending.",
  }),
  reason: textOrNull("Why the delivery was canceled."),
  attempts: integer("Attempts so far."),
  max_attempts: integer("Maximum number of attempts."),
  next_attempt: timeOrNull("When the next attempt is due."),
  last_attempt: Type.Unsafe<{
    started: number;
    status: number | null;
    error: string | null;
    duration_ms: number | null;
  } | null>({
    type: ["object", "null"],
    description: "The last attempt.",
    properties: {
      started: { type: "integer", description: "Unix seconds." },
      status: { type: ["integer", "null"], description: "The HTTP status." },
      error: { type: ["string", "null"], description: "The error word." },
      duration_ms: { type: ["number", "null"], description: "Duration in milliseconds." },
    },
    required: ["started", "status", "error", "duration_ms"],
  }),
  waits_for: idOrNull("The delivery that this one waits for. It belongs to an earlier event of the same video."),
};

export const Delivery = resource("Delivery", "The delivery of one event to one webhook.", fields);
export type Delivery = Static<typeof Delivery>;
export const DeliveryList = listOf(Delivery);
export const DeliveryWithLog = resource("DeliveryWithLog", "A delivery with its attempts.", {
  ...fields,
  log: Type.Array(ref(Attempt), { description: "The attempts, oldest first." }),
  erased: timeOrNull("When the event data and the attempts' headers and bodies were erased."),
});

export const DeliveryQuery = body({
  ...page,
  webhook: Type.Optional(id("Only deliveries for this webhook.")),
  event: Type.Optional(id("Only deliveries of this event.")),
  video: Type.Optional(videoId("Only deliveries for this video.")),
  type: Type.Optional(word(EVENT_TYPE_WORDS, { description: "Only deliveries of this event type." })),
  status: Type.Optional(
    word([...STATUSES, "pending"], {
      description: "Only deliveries with this status. `pending` includes all deliveries that are not finished.",
    }),
  ),
  response: Type.Optional(
    word(["2xx", "3xx", "4xx", "5xx", "none"], {
      description:
        "Only deliveries whose last response is in this class. `none` selects deliveries without a response.",
    }),
  ),
  since: Type.Optional(time("Only deliveries of events that happened at or after this time.")),
  until: Type.Optional(time("Only deliveries of events that happened before this time.")),
});

export const REPLAY_STATUSES = ["running", "paused", "done", "canceled"] as const;
export const Replay = resource(
  "Replay",
  "A bulk action that delivers past events again. It continues after a restart.",
  {
    id: idOrNull("The replay's id, or null for a dry run."),
    object: objectWord("replay"),
    created: time("When the replay was created."),
    webhook: id("The webhook that receives the events."),
    since: time("Start of the range, inclusive."),
    until: time("End of the range, exclusive."),
    statuses: Type.Unsafe<string[] | null>({
      type: ["array", "null"],
      items: { type: "string" },
      description: "Only events whose delivery ended with one of these statuses, or null for all events.",
    }),
    types: Type.Unsafe<string[] | null>({
      type: ["array", "null"],
      items: { type: "string" },
      description: "Only events of these types, or null for the event types that the webhook receives.",
    }),
    video: textOrNull("Only events of this video."),
    rate: integerOrNull("Maximum deliveries per second, or null for no limit."),
    status: word([...REPLAY_STATUSES, "dry_run"], { description: "The replay's state." }),
    total: integer(
      "Events to deliver. This is an estimate until the replay is done, because deliveries can finish in the meantime.",
    ),
    done: integer(
      "Events queued for delivery so far. If the replay is canceled, events whose deliveries were canceled no longer count.",
    ),
    first: timeOrNull("Time of the first event."),
    last: timeOrNull("Time of the last event."),
    finished: timeOrNull("When the replay finished or was canceled."),
  },
);
export const ReplayList = listOf(Replay);
export const ReplayCreate = body(
  {
    webhook: id("The webhook that receives the events."),
    since: time("Start of the range, inclusive."),
    until: time("End of the range, exclusive."),
    statuses: Type.Optional(
      Type.Array(word([...FINISHED_STATUSES, "never"]), {
        description:
          "Only events whose delivery ended with one of these statuses. `never` selects events without a delivery. Defaults to all events.",
        minItems: 1,
        uniqueItems: true,
      }),
    ),
    types: Type.Optional(
      Type.Array(word(EVENT_TYPE_WORDS), {
        description: "Only events of these types. Defaults to the event types that the webhook receives.",
        minItems: 1,
        uniqueItems: true,
      }),
    ),
    video: Type.Optional(videoId("Only events of this video.")),
    rate: Type.Optional(
      integerOrNull("Maximum deliveries per second, or null for no limit. A fast replay can slow live deliveries.", {
        minimum: 1,
        maximum: 10_000,
        default: LIMITS.REPLAY_RATE,
      }),
    ),
    dry_run: Type.Optional(
      Type.Boolean({ description: "Whether to return the counts without changing anything.", default: false }),
    ),
  },
  { $id: "ReplayCreate", description: "The events to deliver again." },
);
export const ReplayUpdate = body(
  { status: word(["running", "paused"], { description: "`paused` pauses the replay, `running` resumes it." }) },
  { $id: "ReplayUpdate", description: "The new state." },
);
export const ReplayQuery = body({ ...page, webhook: Type.Optional(id("Only replays for this webhook.")) });

export const Cancellation = resource("Cancellation", "A bulk action that cancels pending deliveries.", {
  object: objectWord("cancellation"),
  dry_run: Type.Boolean({ description: "Whether this was a dry run, which changes nothing." }),
  total: integer("How many deliveries were canceled or, in a dry run, would be canceled."),
  first: timeOrNull("Time of the first event."),
  last: timeOrNull("Time of the last event."),
  has_more: Type.Boolean({ description: "Whether more deliveries may match. If so, repeat the request." }),
});
export const CancellationCreate = body(
  {
    webhook: Type.Optional(id("Only deliveries for this webhook.")),
    event: Type.Optional(id("Only deliveries of this event.")),
    video: Type.Optional(videoId("Only deliveries for this video.")),
    type: Type.Optional(word(EVENT_TYPE_WORDS, { description: "Only deliveries of this event type." })),
    status: Type.Optional(
      word(["waiting", "retrying", "held", "pending"], {
        description: "Only deliveries with this status. `pending` includes all deliveries that are not finished.",
      }),
    ),
    since: Type.Optional(time("Only deliveries of events that happened at or after this time.")),
    until: Type.Optional(time("Only deliveries of events that happened before this time.")),
    reason: Type.Optional(
      text("The reason to show with each canceled delivery, together with the actor.", {
        minLength: 1,
        maxLength: LIMITS.DESCRIPTION_CHARACTERS_MAX,
      }),
    ),
    dry_run: Type.Optional(
      Type.Boolean({ description: "Whether to return the counts without changing anything.", default: false }),
    ),
  },
  {
    $id: "CancellationCreate",
    description:
      "Which pending deliveries to cancel. At least one filter is required; `status: pending` matches every pending delivery.",
  },
);
