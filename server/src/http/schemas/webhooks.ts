import { type Static, Type } from "typebox";
import { EVENT_TYPES, type EventType } from "../../kernel/event-catalog.ts";
import { LIMITS } from "../../kernel/limits.ts";
import {
  body,
  id,
  integer,
  integerOrNull,
  listOf,
  numberOrNull,
  objectWord,
  page,
  resource,
  text,
  textOrNull,
  texts,
  time,
  timeOrNull,
  word,
} from "./common.ts";

export const EVENT_TYPE_WORDS = Object.keys(EVENT_TYPES) as EventType[];
export const eventType = (description: string) => word(EVENT_TYPE_WORDS, { description });

const fields = {
  id: id(),
  object: objectWord("webhook"),
  created: time("When the webhook was registered."),
  url: text("Where events are sent."),
  description: textOrNull("Display name."),
  events: Type.Array(eventType("An event type."), { description: "The event types that the webhook receives." }),
  status: word(["enabled", "paused", "disabled"], {
    description:
      "A webhook is `paused` by a person or `disabled` by the system. Either way, its deliveries are held and none are lost.",
  }),
  status_reason: textOrNull("Why the webhook is paused or disabled."),
  status_since: time("When `status` last changed."),
  ordering: word(["video", "none"], {
    description: "`video` delivers each video's events in order. `none` delivers events in any order.",
  }),
  rate_limit: integerOrNull("Maximum deliveries per second, or null for no limit."),
  headers: texts("The names of the custom headers. Their values are hidden."),
  secret_hint: text("Last characters of the secret."),
  secret_since: time("When the secret was created."),
  previous_secret_hint: textOrNull("Last characters of the previous secret, while it is still valid."),
  previous_secret_until: timeOrNull("When the previous secret expires."),
  failing_since: timeOrNull("When the first failure since the last success occurred."),
  disables_at: timeOrNull("When the webhook will be disabled if no delivery succeeds before then."),
  waits_until: timeOrNull(
    "Until when nothing is sent, because the receiver asked to wait (`Retry-After`, at most a minute). A success, a resume, or a new URL or secret ends the wait.",
  ),
};
const secret = text("The secret that signs the webhook's deliveries.", { examples: ["whsec_…"] });

export const Webhook = resource("Webhook", "A registered URL with its event types and its secret.", fields);
export type Webhook = Static<typeof Webhook>;
export const WebhookWithSecret = resource("WebhookWithSecret", "A webhook with its new secret.", {
  ...fields,
  secret,
});
export const WebhookList = listOf(Webhook);

export const WebhookSecret = resource("WebhookSecret", "The secret for verifying a webhook's deliveries.", {
  object: objectWord("secret"),
  secret,
  previous_secret: textOrNull("The previous secret, while it is still valid."),
  previous_secret_until: timeOrNull("When the previous secret expires."),
});

const url = text("An https URL, or an http URL if the operator allows it.", {
  minLength: 1,
  maxLength: LIMITS.URL_CHARACTERS_MAX,
  examples: ["https://example.com/mave"],
});
const events = Type.Array(eventType("An event type."), {
  description: "The event types to receive.",
  minItems: 1,
  uniqueItems: true,
});
const description = textOrNull("Display name.", { maxLength: LIMITS.DESCRIPTION_CHARACTERS_MAX });
const ordering = word(["video", "none"], {
  description: "`video` (default) delivers each video's events in order. `none` delivers events in any order.",
});
const rateLimit = integerOrNull("Maximum deliveries per second, or null for no limit.", {
  minimum: 1,
  maximum: 10_000,
});
const headers = texts("Headers to add to every delivery.", {
  keys: LIMITS.WEBHOOK_HEADERS_MAX,
  key: 256,
  value: 4_096,
});
const ownSecret = text(
  "Your own secret: `whsec_` followed by 24 to 64 bytes in base64. By default, Mave generates one.",
  {
    maxLength: 128,
  },
);

export const WebhookCreate = body(
  {
    url,
    events,
    description: Type.Optional(description),
    ordering: Type.Optional(ordering),
    rate_limit: Type.Optional(rateLimit),
    headers: Type.Optional(headers),
    secret: Type.Optional(ownSecret),
  },
  { $id: "WebhookCreate", description: "The new webhook." },
);
export const WebhookUpdate = body(
  {
    url: Type.Optional(url),
    events: Type.Optional(events),
    description: Type.Optional(description),
    status: Type.Optional(
      word(["enabled", "paused"], {
        description: "`paused` pauses the webhook; `enabled` resumes a paused or disabled one.",
      }),
    ),
    ordering: Type.Optional(ordering),
    rate_limit: Type.Optional(rateLimit),
    headers: Type.Optional(headers),
  },
  {
    $id: "WebhookUpdate",
    description: "The fields to change. `headers` replaces all previous headers.",
    minProperties: 1,
  },
);
export const RotationCreate = body(
  {
    overlap_seconds: Type.Optional(
      integer("How long deliveries are also signed with the previous secret, up to 7 days.", {
        minimum: 0,
        maximum: 604_800,
        default: 86_400,
      }),
    ),
    secret: Type.Optional(ownSecret),
  },
  { $id: "RotationCreate", description: "Options for a rotation." },
);
export const TestCreate = body(
  { type: Type.Optional(word(EVENT_TYPE_WORDS, { description: "The event type to send.", default: "webhook.test" })) },
  { $id: "TestCreate", description: "The test event." },
);
export const Retries = resource("Retries", "The retries of a webhook that were made due.", {
  object: objectWord("retries"),
  webhook: id(),
  count: integer("How many deliveries are now due."),
  has_more: Type.Boolean({ description: "Whether more retries may remain; repeat the request to make them due." }),
});
export const WebhookQuery = body({ ...page });

const errors = (description: string) =>
  Type.Array(Type.Object({ word: text("An HTTP status or an error word."), count: integer("Failed attempts.") }), {
    description,
  });
const quantiles = Type.Object({
  p50: numberOrNull("Median. Milliseconds."),
  p95: numberOrNull("95th percentile. Milliseconds."),
});
export const WebhookHealth = resource("WebhookHealth", "Delivery statistics for a webhook over the last 24 hours.", {
  object: objectWord("webhook_health"),
  webhook: id(),
  success_rate: numberOrNull("Share of successful attempts, from 0 to 1; null if there were no attempts."),
  succeeded: integer("Successful attempts."),
  failed: integer("Failed attempts."),
  response_ms: quantiles,
  phases: Type.Object(
    { dns: quantiles, connect: quantiles, tls: quantiles, first_byte: quantiles, total: quantiles },
    { description: "Duration of each phase of an attempt." },
  ),
  errors: errors("Errors, most frequent first."),
  pending: integer("Pending deliveries: waiting, sending, retrying or held."),
  oldest_pending: timeOrNull("When the oldest pending delivery was created."),
  drain_seconds: integerOrNull(
    "Estimated time until all pending deliveries are sent, assuming that all succeed. Includes the wait until `waits_until`. The estimate is based on the rate limit and recent response times, and is null if neither is available.",
  ),
  failing_since: timeOrNull("When the first failure since the last success occurred."),
  disables_at: timeOrNull("When the webhook will be disabled if no delivery succeeds before then."),
  certificate_until: timeOrNull("When the receiver's certificate expires."),
  hours: Type.Array(
    Type.Object({
      hour: time("Start of the hour."),
      succeeded: integer("Successful attempts."),
      failed: integer("Failed attempts."),
      errors: errors("Errors during this hour, most frequent first."),
      p50: numberOrNull("Median. Milliseconds."),
      p95: numberOrNull("95th percentile. Milliseconds."),
    }),
    { description: "The last 24 hours, oldest first." },
  ),
});
