/** Names for the API types that `npm run types` generates from the server's OpenAPI description. */
import type { components } from "./openapi.gen.ts";

type Schemas = components["schemas"];

export interface List<T> {
  object: "list";
  data: T[];
  has_more: boolean;
  next: string | null;
}

export type Video = Schemas["Video"];

export type Webhook = Schemas["Webhook"] & Partial<Pick<Schemas["WebhookWithSecret"], "secret">>;
export type Retries = Schemas["Retries"];
export type WebhookSecret = Schemas["WebhookSecret"];
export type Health = Schemas["WebhookHealth"];
export type HealthHour = Health["hours"][number];

export type MaveEvent = Omit<Schemas["Event"], "data"> & {
  /** Null once the event's data has been erased. `video` still holds the video's ID. */
  data: Schemas["Video"] | Schemas["Webhook"] | null;
};
export type Erasure = Schemas["Erasure"];
export type EventType = Schemas["EventType"];

export type Delivery = Schemas["Delivery"];
export type DeliveryStatus = Delivery["status"];
export type DeliveryWithLog = Schemas["DeliveryWithLog"];
export type Attempt = Schemas["Attempt"];
export type AttemptResponse = NonNullable<Attempt["response"]>;
export type Timings = Attempt["timings"];

export type Cancellation = Schemas["Cancellation"];
export type Replay = Schemas["Replay"];
export type ApiKey = Schemas["ApiKey"] & Partial<Pick<Schemas["ApiKeyWithKey"], "key">>;
export type Session = Schemas["Session"];
export type Member = Schemas["Member"];
export type Overview = Schemas["Overview"];
export type AuditEntry = Schemas["AuditEntry"];
