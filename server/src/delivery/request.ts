import { signatureHeaders } from "@mave/webhooks/node";
import type { Target } from "./targets.ts";

/** What a request says about the delivery that it is made for. */
export interface Parcel {
  /** The event's and the delivery's short ids. */
  event: string;
  delivery: string;
  attempt: number;
  sequence: number;
  previous: number;
  body: Buffer;
}

export interface SignedRequest {
  url: string;
  headers: Record<string, string>;
  /** The same headers as JSON for the log, the values of the webhook's own ones hidden. */
  logged: string;
}

const HIDDEN = "••••";

/** Builds and signs one attempt's request. @param version of this server @param now_s Unix seconds, the signature's time */
export function buildRequest(target: Target, parcel: Parcel, version: string, now_s: number): SignedRequest {
  const { event, body, delivery, attempt, sequence, previous } = parcel;
  const secrets = target.previous !== null && target.previous.until_s > now_s ? target.secrets : [target.secrets[0]!];
  const headers: Record<string, string> = {
    "Content-Type": "application/json",
    "User-Agent": `Mave-Webhooks/${version}`,
    ...signatureHeaders({ body, id: event, time: now_s, secrets }),
    "Mave-Delivery": delivery,
    "Mave-Attempt": `${attempt}`,
    "Mave-Sequence": `${sequence}`,
    "Mave-Previous": `${previous}`,
  };
  const own = target.headers;
  if (own === null) return { url: target.url, headers, logged: JSON.stringify(headers) };
  const hidden = Object.fromEntries(Object.keys(own).map((name) => [name, HIDDEN]));
  return { url: target.url, headers: { ...headers, ...own }, logged: JSON.stringify({ ...headers, ...hidden }) };
}
