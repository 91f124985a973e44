/** The API's objects as the pages use them: names for what is generated from the server's OpenAPI (`npm run types`). */
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
export type WebhookSecret = Schemas["WebhookSecret"];
export type Health = Schemas["WebhookHealth"];
export type HealthHour = Health["hours"][number];

export type MaveEvent = Omit<Schemas["Event"], "data"> & {
  /** Null where it was erased: then `video` says which it was about. */
  data: Schemas["Video"] | Schemas["Webhook"] | null;
};
export type Erasure = Schemas["Erasure"];
export type EventType = Schemas["EventType"];

export type Delivery = Schemas["Delivery"];
export type DeliveryStatus = Delivery["status"];
export type DeliveryWithLog = Schemas["DeliveryWithLog"];
export type Attempt = Schemas["Attempt"];
export type Answer = NonNullable<Attempt["response"]>;
export type Timings = Attempt["timings"];

export type Cancellation = Schemas["Cancellation"];
export type Replay = Schemas["Replay"];
export type ApiKey = Schemas["ApiKey"] & Partial<Pick<Schemas["ApiKeyWithKey"], "key">>;
export type Session = Schemas["Session"];
export type Member = Schemas["Member"];
export type Overview = Schemas["Overview"];
export type AuditEntry = Schemas["AuditEntry"];
