/**
 * Every way in which an attempt can fail, as one word with its sentence. The set is closed: what the network reports is
 * turned into one of these, and its own code is kept beside it for those who know it.
 */
export const ERROR_WORDS = {
  url_refused: "The webhook's URL is not allowed on this server.",
  address_blocked: "The host leads to an address that is not public.",
  dns_failed: "The host name could not be resolved.",
  dns_timeout: "No DNS server answered in time.",
  connect_refused: "The receiver refused the connection.",
  connect_timeout: "The connection was not established in time.",
  network_unreachable: "There is no way to the receiver's network.",
  tls_failed: "The secure connection failed, often because of a bad or expired certificate.",
  connection_reset: "The receiver closed the connection before it answered.",
  response_invalid: "What came back is not a valid HTTP/1.1 response.",
  timeout: "There was no response in time.",
  redirect_refused: "The receiver answered with a redirect. Redirects are not followed; register the final URL.",
  status: "The receiver answered with a status that is not 2xx.",
  send_failed: "This server could not send the request.",
  stopped: "This server was stopped while it was sending.",
} as const;

export type ErrorWord = keyof typeof ERROR_WORDS;

/** An error's word, and the code that the system, OpenSSL or the HTTP parser gave it. */
export interface Failure {
  word: ErrorWord;
  code: string;
}

/** A fault that knows its word already. */
export class NetFault extends Error {
  override readonly name = "NetFault";
  readonly word: ErrorWord;
  readonly code: string;

  constructor(word: ErrorWord, code: string, message: string = ERROR_WORDS[word]) {
    super(message);
    this.word = word;
    this.code = code;
  }
}

const CODES: Readonly<Record<string, ErrorWord>> = {
  ENOTFOUND: "dns_failed",
  ENODATA: "dns_failed",
  ESERVFAIL: "dns_failed",
  EREFUSED: "dns_failed",
  ETIMEOUT: "dns_timeout",
  ECONNREFUSED: "connect_refused",
  ETIMEDOUT: "connect_timeout",
  UND_ERR_CONNECT_TIMEOUT: "connect_timeout",
  ENETUNREACH: "network_unreachable",
  EHOSTUNREACH: "network_unreachable",
  ENETDOWN: "network_unreachable",
  EHOSTDOWN: "network_unreachable",
  ECONNRESET: "connection_reset",
  ECONNABORTED: "connection_reset",
  EPIPE: "connection_reset",
  UND_ERR_SOCKET: "connection_reset",
  UND_ERR_HEADERS_OVERFLOW: "response_invalid",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "response_invalid",
  HTTPParserError: "response_invalid", // its name: undici gives it no code
  ERR_ASSERTION: "response_invalid", // undici's own assertion on a status of 000
  UND_ERR_HEADERS_TIMEOUT: "timeout",
  UND_ERR_BODY_TIMEOUT: "timeout",
  UND_ERR_DESTROYED: "stopped",
  UND_ERR_CLOSED: "stopped",
  HOSTNAME_MISMATCH: "tls_failed",
  INVALID_CA: "tls_failed",
  INVALID_PURPOSE: "tls_failed",
  PATH_LENGTH_EXCEEDED: "tls_failed",
  EPROTO: "tls_failed",
};

const FAMILIES: readonly [RegExp, ErrorWord][] = [
  [/^(?:CERT_|ERR_TLS_|ERR_SSL_|ERR_OSSL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|CRL_|ERROR_IN_)/, "tls_failed"],
  [/^HPE_/, "response_invalid"],
];

/** undici reports these responses with the code of a closed socket; only its message tells them apart. */
const BAD_ANSWERS: ReadonlySet<string> = new Set(["bad response", "bad upgrade"]);

/** Finds the word for an error of the socket, TLS or HTTP layers. What none knows is `send_failed`, with its code kept. */
export function failureOf(error: unknown): Failure {
  if (error instanceof NetFault) return { word: error.word, code: error.code };
  const code = codeOf(error);
  if (code === "UND_ERR_SOCKET" && BAD_ANSWERS.has((error as Error).message)) return { word: "response_invalid", code };
  const word = CODES[code] ?? FAMILIES.find(([pattern]) => pattern.test(code))?.[1];
  return { word: word ?? "send_failed", code };
}

/** Of several addresses that failed, Node reports an AggregateError whose own code may be missing. */
function codeOf(error: unknown): string {
  const { code, errors, name } = (error ?? {}) as { code?: unknown; errors?: unknown[]; name?: unknown };
  if (typeof code === "string" && code !== "") return code;
  if (Array.isArray(errors) && errors.length > 0) return codeOf(errors[0]);
  return typeof name === "string" ? name : "UNKNOWN";
}
