/** Checks the signature of a pasted request in the browser, with the same library that receivers use. */
import { REASONS, type ReasonCode, sign, verify, WebhookVerificationError } from "@mave/webhooks";

export interface PastedRequest {
  /** Header lines, or just the value of Mave-Signature. */
  headers: string;
  body: string;
  secret: string;
  /** The previous secret, which stays valid during a rotation. */
  previous: string;
}

export interface SignatureCheck {
  valid: boolean;
  title: string;
  detail: string;
  code: ReasonCode | undefined;
}

const TITLES: Partial<Record<ReasonCode, string>> = {
  BODY_PARSED: "The body was parsed before verification",
  BODY_EMPTY: "The body is empty",
  BODY_RESERIALIZED: "The body was parsed and re-serialized; verify the raw bytes",
  BODY_TRIMMED: "Whitespace at the end of the body was changed",
  SECRET_MISSING: "The secret is missing",
  SECRET_WHITESPACE: "The secret contains whitespace",
  SECRET_QUOTED: "The secret is wrapped in quotes",
  SECRET_PREFIX_MISSING: "The secret does not start with whsec_",
  HEADER_MISSING: "The Mave-Signature header is missing",
  HEADER_STANDARD_ONLY: "Only the Standard Webhooks headers are present",
  HEADER_MALFORMED: "The Mave-Signature header is malformed",
  SIGNATURE_MISMATCH: "The signature was made with a different secret or for a different body",
  EVENT_INVALID: "The signature is valid, but the body is not an event",
};

export async function checkSignature(request: PastedRequest, now: number): Promise<SignatureCheck> {
  const headers = readHeaders(request.headers);
  const current = await check(headers, request.body, request.secret.trim(), now);
  if (current.code !== "SIGNATURE_MISMATCH" || request.previous.trim() === "") return current;
  const previous = await check(headers, request.body, request.previous.trim(), now);
  if (!previous.valid) return current;
  return {
    ...previous,
    title: "Signed with the previous secret",
    detail: "The signature is valid, but the previous secret stops working when the rotation ends.",
  };
}

/**
 * Parses pasted headers: raw lines, curl `-H` arguments, or JSON lines. A line without a header name is treated as
 * the value of Mave-Signature.
 */
export function readHeaders(text: string): Record<string, string> {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  const headers: Record<string, string> = {};
  for (const line of lines) {
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

async function check(
  headers: Record<string, string>,
  body: string,
  secret: string,
  now: number,
): Promise<SignatureCheck> {
  try {
    const event = await verify(body, headers, secret, { now });
    return {
      valid: true,
      title: "The signature is valid",
      detail: `Event ${event.id}, ${event.type}.`,
      code: undefined,
    };
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error;
    return { valid: false, title: titleOf(error, headers, now), detail: error.message, code: error.code };
  }
}

function titleOf({ code }: WebhookVerificationError, headers: Record<string, string>, now: number): string {
  const time = Number(/t=(\d+)/.exec(headers["mave-signature"] ?? "")?.[1]);
  if (code === "TIME_TOO_OLD") return `The signature is valid but ${now - time} s old; the limit is 300 s`;
  if (code === "TIME_TOO_NEW") return `The signature is valid but ${time - now} s in the future; the limit is 300 s`;
  return TITLES[code] ?? REASONS[code][1];
}

const EXAMPLE_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

/** Builds an example request with a valid signature. */
export async function exampleRequest(now: number): Promise<PastedRequest> {
  const data = {
    id: "k1iFD7h4rW",
    object: "video",
    created: now - 86,
    embed_url: "https://videos.example.com/k1iFD7h4rW",
    last_upload: null,
  };
  const event = { id: "j3bw2jWb6q7aWGwChsgR86", object: "event", type: "video.created", created: now, data };
  const body = JSON.stringify(event);
  const headers = Object.entries(await sign(body, EXAMPLE_SECRET, { now }));
  return {
    headers: headers.map(([name, value]) => `${name}: ${value}`).join("\n"),
    body,
    secret: EXAMPLE_SECRET,
    previous: "",
  };
}
