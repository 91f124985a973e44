/** The filters that pages keep in the URL. Invalid values are dropped. */

type Raw = Record<string, unknown>;

const text = (value: unknown): string | undefined =>
  typeof value === "string" && value !== "" ? value : typeof value === "number" ? String(value) : undefined;
const positiveInteger = (value: unknown): number | undefined =>
  Number.isInteger(value) && (value as number) > 0 ? (value as number) : undefined;

/** Drops undefined filters to keep URLs short. */
function defined<T extends object>(filters: T): { [K in keyof T]?: NonNullable<T[K]> } {
  return Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined)) as never;
}

export const videoSearch = (raw: Raw) =>
  defined({
    status: text(raw.status),
    q: text(raw.q),
    upload: raw.upload === true ? (true as const) : undefined,
  });

export const webhookSearch = (raw: Raw) => defined({ state: text(raw.state), q: text(raw.q) });

export const deliverySearch = (raw: Raw) =>
  defined({
    status: text(raw.status),
    webhook: text(raw.webhook),
    video: text(raw.video),
    type: text(raw.type),
    event: text(raw.event),
    response: text(raw.response),
    since: positiveInteger(raw.since),
    until: positiveInteger(raw.until),
  });

export const eventSearch = (raw: Raw) => defined({ type: text(raw.type), video: text(raw.video) });

export const replaySearch = (raw: Raw) =>
  defined({ webhook: text(raw.webhook), since: positiveInteger(raw.since), until: positiveInteger(raw.until) });

export const debuggerSearch = (raw: Raw) =>
  defined({ delivery: text(raw.delivery), attempt: positiveInteger(raw.attempt) });

export type VideoSearch = ReturnType<typeof videoSearch>;
export type WebhookSearch = ReturnType<typeof webhookSearch>;
export type DeliverySearch = ReturnType<typeof deliverySearch>;
export type EventSearch = ReturnType<typeof eventSearch>;
