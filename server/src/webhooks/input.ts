import { type FieldError, MaveError } from "../kernel/errors.ts";
import { type EventType, isEventType } from "../kernel/event-catalog.ts";
import { LIMITS } from "../kernel/limits.ts";
import { headerFault, headersFault } from "./headers.ts";
import { secretFault } from "./secrets.ts";
import type { Ordering } from "./webhook.ts";

/** The fields of a new webhook. */
export interface WebhookInput {
  url: string;
  events: EventType[];
  description?: string | null | undefined;
  ordering?: Ordering | undefined;
  /** Maximum deliveries per second. */
  rate_limit?: number | null | undefined;
  headers?: Record<string, string> | undefined;
  /** An existing secret to use instead of a generated one. */
  secret?: string | undefined;
}

/** A change to a webhook. Omitted fields keep their values. If `headers` is given, it replaces all custom headers. */
export type WebhookChange = Partial<Omit<WebhookInput, "secret">> & { status?: "enabled" | "paused" | undefined };

/** The part of the address policy needed to register a webhook. */
export interface UrlPolicy {
  checkUrl(url: string): { ok: true; url: URL } | { ok: false; reason: string; word: string };
}

/**
 * Checks the rules that a JSON schema cannot express.
 * @returns the normalized URL, or undefined if the input has no URL
 * @throws REQUEST_INVALID with all invalid fields, or URL_REFUSED if only the URL is invalid
 */
export function checkInput(
  input: WebhookChange & { secret?: string | undefined; overlap_seconds?: number | undefined },
  policy: UrlPolicy,
): string | undefined {
  const checked = input.url === undefined ? undefined : policy.checkUrl(input.url);
  const errors: FieldError[] = [...eventFaults(input.events), ...headerFaults(input.headers), ...secretFaults(input)];
  if (checked?.ok === false) {
    const url: FieldError = { path: "/url", detail: checked.reason };
    if (errors.length === 0) throw new MaveError("URL_REFUSED", checked.reason, { errors: [url] });
    errors.unshift(url);
  }
  if (errors.length > 0) throw new MaveError("REQUEST_INVALID", errors[0]!.detail, { errors });
  return checked?.ok ? checked.url.href : undefined;
}

function eventFaults(events: string[] | undefined): FieldError[] {
  if (events === undefined) return [];
  if (events.length === 0) return [{ path: "/events", detail: "Choose at least one event type." }];
  return events.flatMap((type, index) =>
    isEventType(type)
      ? []
      : [{ path: `/events/${index}`, detail: "No such event type. GET /v1/event-types lists them." }],
  );
}

function headerFaults(headers: Record<string, string> = {}): FieldError[] {
  const all = headersFault(headers);
  if (all !== null) return [{ path: "/headers", detail: all }];
  return Object.entries(headers).flatMap(([name, value]) => {
    const detail = headerFault(name, value);
    return detail === null ? [] : [{ path: `/headers/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`, detail }];
  });
}

function secretFaults(input: { secret?: string | undefined; overlap_seconds?: number | undefined }): FieldError[] {
  const errors: FieldError[] = [];
  const fault = input.secret === undefined ? null : secretFault(input.secret);
  if (fault !== null) errors.push({ path: "/secret", detail: fault });
  const { overlap_seconds: overlap = 0 } = input;
  if (!Number.isInteger(overlap) || overlap < 0 || overlap > LIMITS.SECRET_OVERLAP_MAX_S)
    errors.push({
      path: "/overlap_seconds",
      detail: `Must be a whole number from 0 to ${LIMITS.SECRET_OVERLAP_MAX_S} (7 days).`,
    });
  return errors;
}
