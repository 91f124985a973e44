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
  created: time("When it was registered."),
  url: text("Where its events are sent."),
  description: textOrNull("What people call it."),
  events: Type.Array(eventType("An event type."), { description: "The event types it receives." }),
  status: word(["enabled", "paused", "disabled"], {
    description: "`paused` by a person, `disabled` by the system; both hold deliveries and lose none.",
  }),
  status_reason: textOrNull("Why it is paused or disabled."),
  status_since: time("Since when."),
  ordering: word(["video", "none"], { description: "`video`: the events of one video arrive in sequence." }),
  rate_limit: integerOrNull("Deliveries per second at most."),
  headers: texts("The names of the headers sent along; their values are hidden."),
  secret_hint: text("The last characters of its secret."),
  secret_since: time("When its secret was made; the one before is old since then."),
  previous_secret_hint: textOrNull("The last characters of the secret before this one, while it signs too."),
  previous_secret_until: timeOrNull("Until when the secret before this one signs too."),
  failing_since: timeOrNull("The first failure after the last success."),
  disables_at: timeOrNull("When it will be disabled if nothing succeeds until then."),
};
const secret = text("The secret that signs its deliveries.", { examples: ["whsec_…"] });

export const Webhook = resource("Webhook", "A registered URL with its chosen event types and its secret.", fields);
export type Webhook = Static<typeof Webhook>;
export const WebhookWithSecret = resource("WebhookWithSecret", "A webhook, with its new secret.", {
  ...fields,
  secret,
});
export const WebhookList = listOf(Webhook);

export const WebhookSecret = resource("WebhookSecret", "What verifies a webhook's deliveries.", {
  object: objectWord("secret"),
  secret,
  previous_secret: textOrNull("The one before, while it still signs too."),
  previous_secret_until: timeOrNull("Until when."),
});

const url = text("https, or http where the operator allows it.", {
  minLength: 1,
  maxLength: LIMITS.URL_CHARACTERS_MAX,
  examples: ["https://example.com/mave"],
});
const events = Type.Array(eventType("An event type."), {
  description: "The event types to receive.",
  minItems: 1,
  uniqueItems: true,
});
const description = textOrNull("What people call it.", { maxLength: LIMITS.DESCRIPTION_CHARACTERS_MAX });
const ordering = word(["video", "none"], {
  description: "`video` (default) keeps the events of one video in sequence.",
});
const rateLimit = integerOrNull("Deliveries per second at most; null: no limit.", { minimum: 1, maximum: 10_000 });
const headers = texts("Headers to send along with every delivery.", {
  keys: LIMITS.WEBHOOK_HEADERS_MAX,
  key: 256,
  value: 4_096,
});
const ownSecret = text("A secret of your own: `whsec_` and base64 of 24 to 64 bytes. Left out: one is made.", {
  maxLength: 128,
});

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
  { $id: "WebhookCreate", description: "A new webhook." },
);
export const WebhookUpdate = body(
  {
    url: Type.Optional(url),
    events: Type.Optional(events),
    description: Type.Optional(description),
    status: Type.Optional(
      word(["enabled", "paused"], { description: "Resume (also after it was disabled), or pause." }),
    ),
    ordering: Type.Optional(ordering),
    rate_limit: Type.Optional(rateLimit),
    headers: Type.Optional(headers),
  },
  { $id: "WebhookUpdate", description: "What to change. Headers are replaced as a whole.", minProperties: 1 },
);
export const RotationCreate = body(
  {
    overlap_seconds: Type.Optional(
      integer("How long the old secret signs too: up to 7 days.", { minimum: 0, maximum: 604_800, default: 86_400 }),
    ),
    secret: Type.Optional(ownSecret),
  },
  { $id: "RotationCreate", description: "How to rotate." },
);
export const TestCreate = body(
  { type: Type.Optional(word(EVENT_TYPE_WORDS, { description: "What to send.", default: "webhook.test" })) },
  { $id: "TestCreate", description: "Which event to send as a test." },
);
export const WebhookQuery = body({ ...page });

const errors = (description: string) =>
  Type.Array(Type.Object({ word: text("A status or an error word."), count: integer("How often.") }), { description });
const quantiles = Type.Object({
  p50: numberOrNull("Half are quicker. Milliseconds."),
  p95: numberOrNull("19 of 20 are quicker. Milliseconds."),
});
export const WebhookHealth = resource("WebhookHealth", "How a webhook did in the last 24 hours.", {
  object: objectWord("webhook_health"),
  webhook: id(),
  success_rate: numberOrNull("Succeeded attempts of all, 0 to 1; null without any."),
  succeeded: integer("Attempts."),
  failed: integer("Attempts."),
  response_ms: quantiles,
  phases: Type.Object(
    { dns: quantiles, connect: quantiles, tls: quantiles, first_byte: quantiles, total: quantiles },
    { description: "Where the time went." },
  ),
  errors: errors("What failed, the most frequent first."),
  pending: integer("Deliveries that wait, are sent, retried or held."),
  oldest_pending: timeOrNull("When the oldest of them was created."),
  drain_seconds: integerOrNull(
    "About how long sending all of them takes, if each succeeds: at its rate limit, or as its responses took lately. Null where nothing tells.",
  ),
  failing_since: timeOrNull("The first failure after the last success."),
  disables_at: timeOrNull("When it will be disabled if nothing succeeds until then."),
  certificate_until: timeOrNull("The end of the certificate last seen."),
  hours: Type.Array(
    Type.Object({
      hour: time("The beginning of the hour."),
      succeeded: integer("Attempts."),
      failed: integer("Attempts."),
      errors: errors("What failed in this hour, the most frequent first."),
      p50: numberOrNull("Milliseconds."),
      p95: numberOrNull("Milliseconds."),
    }),
    { description: "24 hours, oldest first." },
  ),
});
