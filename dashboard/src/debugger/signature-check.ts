/** One verdict on a request that someone pasted, made in the browser by the receiver's own library. Pure but for WebCrypto. */
import { REASONS, type ReasonCode, sign, verify, WebhookVerificationError } from "@mave/webhooks";

export interface Pasted {
  /** Header lines, or the value of Mave-Signature alone. */
  headers: string;
  body: string;
  secret: string;
  /** The secret before, while it may still be in use. */
  previous: string;
}

export interface Verdict {
  good: boolean;
  title: string;
  detail: string;
  code: ReasonCode | undefined;
}

const TITLES: Partial<Record<ReasonCode, string>> = {
  BODY_PARSED: "The body was parsed before it was verified.",
  BODY_EMPTY: "The body is empty.",
  BODY_RESERIALIZED: "The body was parsed and written again; verify the raw bytes.",
  BODY_TRIMMED: "White space at the body's end was changed on the way.",
  SECRET_MISSING: "The secret is missing.",
  SECRET_WHITESPACE: "The secret contains white space.",
  SECRET_QUOTED: "The secret is wrapped in quotes.",
  SECRET_PREFIX_MISSING: "The secret lacks its beginning, whsec_.",
  HEADER_MISSING: "There is no Mave-Signature header.",
  HEADER_STANDARD_ONLY: "Only the Standard Webhooks headers are there.",
  HEADER_MALFORMED: "Mave-Signature cannot be read.",
  SIGNATURE_MISMATCH: "The signature was made with another secret, or for another body.",
  EVENT_INVALID: "The signature is right, but the body is not an event.",
};

/** `Name: value` lines as an object; a text without a name is taken for the value of Mave-Signature. */
export function readHeaders(text: string): Record<string, string> {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  const headers: Record<string, string> = {};
  for (const line of lines) {
    // What people paste: raw headers, curl's -H arguments, or JSON's "name": "value",
    const bare = line
      .trim()
      .replace(/^-H\s+|\s*\\$/g, "")
      .replace(/^["']|["'],?$/g, "");
    const [, name, value] = /^([A-Za-z0-9-]+)["']?\s*:\s*["']?(.*)$/.exec(bare) ?? [];
    if (name === undefined || value === undefined) headers["mave-signature"] ??= bare;
    else headers[name.toLowerCase()] = value.trim();
  }
  return headers;
}

export async function judge({ headers, body, secret, previous }: Pasted, now: number): Promise<Verdict> {
  const read = readHeaders(headers);
  const first = await attempt(read, body, secret.trim(), now);
  if (first.good || first.code !== "SIGNATURE_MISMATCH" || previous.trim() === "") return first;
  const second = await attempt(read, body, previous.trim(), now);
  if (!second.good) return first;
  return {
    ...second,
    title: "Signed with the previous secret.",
    detail: "Right, but made with the secret before this one. It works only until its rotation ends.",
  };
}

async function attempt(headers: Record<string, string>, body: string, secret: string, now: number): Promise<Verdict> {
  try {
    const event = await verify(body, headers, secret, { now });
    const detail = `It is ${event.type}, event ${event.id}.`;
    return { good: true, title: "The signature is right.", detail, code: undefined };
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error;
    return { good: false, title: titleOf(error, headers, now), detail: error.message, code: error.code };
  }
}

function titleOf({ code }: WebhookVerificationError, headers: Record<string, string>, now: number): string {
  const time = Number(/t=(\d+)/.exec(headers["mave-signature"] ?? "")?.[1]);
  if (code === "TIME_TOO_OLD") return `Right, but ${now - time} s old; the limit is 300 s.`;
  if (code === "TIME_TOO_NEW") return `Right, but ${time - now} s from the future; the limit is 300 s.`;
  return TITLES[code] ?? REASONS[code][1];
}

const SAMPLE_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/** A request that verifies, to see what a right one looks like. */
export async function sample(now: number): Promise<Pasted> {
  const data = {
    id: "k1iFD7h4rW",
    object: "video",
    created: now - 86,
    embed_url: "https://videos.example.com/k1iFD7h4rW",
    last_upload: null,
  };
  const body = JSON.stringify({
    id: "j3bw2jWb6q7aWGwChsgR86",
    object: "event",
    type: "video.created",
    created: now,
    data,
  });
  const headers = Object.entries(await sign(body, SAMPLE_SECRET, { now }));
  return {
    headers: headers.map(([name, value]) => `${name}: ${value}`).join("\n"),
    body,
    secret: SAMPLE_SECRET,
    previous: "",
  };
}
