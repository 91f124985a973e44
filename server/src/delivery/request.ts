import { signatureHeaders } from "@mave/webhooks/node";
import { shortUuid } from "../kernel/short-uuid.ts";
import type { LeasedDelivery } from "../store/queue/claim.ts";
import type { Target } from "./targets.ts";

export interface SignedRequest {
  url: string;
  headers: Record<string, string>;
  body: Buffer;
  /** The headers as JSON for the attempt log, with the values of the webhook's custom headers hidden. */
  logged: string;
}

interface RequestParts {
  target: Target;
  delivery: Pick<LeasedDelivery, "id" | "attempt" | "sequence" | "previous">;
  payload: string;
  /** This server's version, for the User-Agent. */
  version: string;
  /** Unix seconds, for the signature. */
  now_s: number;
}

const HIDDEN = "••••";

/** Builds and signs the request for one attempt. */
export function buildRequest({ target, delivery, payload, version, now_s }: RequestParts): SignedRequest {
  const { id, attempt, sequence, previous } = delivery;
  const body = Buffer.from(payload);
  const isRotating = (target.previousSecretUntil_s ?? 0) > now_s;
  const secrets = isRotating ? target.secrets : [target.secrets[0]!];
  const headers: Record<string, string> = {
    "Content-Type": "application/json",
    "User-Agent": `Mave-Webhooks/${version}`,
    ...signatureHeaders({ body, id: eventIdOf(payload), time: now_s, secrets }),
    "Mave-Delivery": shortUuid(id),
    "Mave-Attempt": `${attempt}`,
    "Mave-Sequence": `${sequence}`,
    "Mave-Previous": `${previous}`,
  };
  const { url, headers: own } = target;
  if (own === null) return { url, headers, body, logged: JSON.stringify(headers) };
  const hidden = Object.fromEntries(Object.keys(own).map((name) => [name, HIDDEN]));
  return { url, headers: { ...headers, ...own }, body, logged: JSON.stringify({ ...headers, ...hidden }) };
}

/**
 * Slices the event's short id out of the payload, which starts with `{"id":"` and the 22-character id. This costs less
 * than converting the UUID.
 */
const eventIdOf = (payload: string): string => payload.slice(7, 29);
