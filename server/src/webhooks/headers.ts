import { LIMITS } from "../kernel/limits.ts";

/** Headers that Mave or the HTTP client sets. Overriding one could break the delivery or forge a signature. */
const RESERVED = new Set([
  ..."host content-length content-type content-encoding transfer-encoding connection keep-alive upgrade te trailer".split(
    " ",
  ),
  ..."expect user-agent accept-encoding proxy-authorization proxy-connection webhook-id webhook-timestamp".split(" "),
  "webhook-signature",
]);
const RESERVED_PREFIX = "mave-";
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/; // RFC 9110 §5.6.2, token
const VALUE = /^[\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?$/; // RFC 9110 §5.5 without obs-text

/** Returns what is wrong with a custom header, or null if it is valid. */
export function headerFault(name: string, value: string): string | null {
  if (!NAME.test(name)) return "A header name can contain only letters, digits and !#$%&'*+-.^_`|~.";
  const lower = name.toLowerCase();
  if (RESERVED.has(lower) || lower.startsWith(RESERVED_PREFIX)) return "Mave sets this header itself. Remove it.";
  if (!VALUE.test(value))
    return "A header value can contain only visible ASCII characters, with spaces or tabs only between them.";
  return null;
}

/** Returns an error message if there are too many headers or two names differ only in case; otherwise null. */
export function headersFault(headers: Record<string, string>): string | null {
  const names = Object.keys(headers);
  if (names.length > LIMITS.WEBHOOK_HEADERS_MAX)
    return `A webhook can have at most ${LIMITS.WEBHOOK_HEADERS_MAX} headers.`;
  const distinct = new Set(names.map((name) => name.toLowerCase()));
  return distinct.size < names.length ? "Two headers have the same name, ignoring case." : null;
}
