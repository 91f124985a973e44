/**
 * Every reason an attempt can fail, with an explanation. This is a closed set: each network error maps to one of these
 * words, and its original code is stored with the word for troubleshooting.
 */
export const ERROR_WORDS = {
  url_refused: "The webhook's URL is not allowed on this server.",
  address_blocked: "The host resolves to an address that is not public.",
  dns_failed: "The host name could not be resolved.",
  dns_timeout: "No DNS server responded in time.",
  connect_refused: "The receiver refused the connection.",
  connect_timeout: "The connection was not established in time.",
  network_unreachable: "The receiver's network is unreachable.",
  certificate_expired: "The receiver's certificate has expired.",
  certificate_not_yet_valid: "The receiver's certificate is not valid yet.",
  certificate_wrong_name: "The receiver's certificate is for a different host name.",
  certificate_incomplete: "The receiver does not send the intermediate certificate that its own certificate needs.",
  certificate_untrusted: "The receiver's certificate is self-signed, or its authority is not trusted by this server.",
  client_certificate_required: "The receiver requires a client certificate.",
  tls_too_old: "The receiver supports only outdated versions of TLS. Enable TLS 1.2 or 1.3.",
  tls_missing: "The receiver responded with plain HTTP. Use an http URL or the receiver's port for HTTPS.",
  http2_only: "The receiver supports only HTTP/2. Enable HTTP/1.1.",
  headers_too_large: "The receiver's response headers are too large.",
  tls_failed: "The TLS handshake failed.",
  connection_reset: "The receiver closed the connection before it responded.",
  response_invalid: "The receiver did not send a valid HTTP/1.1 response.",
  timeout: "The receiver did not respond in time.",
  redirect_refused: "The receiver responded with a redirect. Redirects are not followed; register the final URL.",
  status: "The receiver responded with a status other than 2xx.",
  send_failed: "This server could not send the request.",
  stopped: "This server stopped while the request was in flight.",
} as const;

export type ErrorWord = keyof typeof ERROR_WORDS;

/** An error word, with the original code from the system, OpenSSL or the HTTP parser. */
export interface Failure {
  word: ErrorWord;
  code: string;
}

/** An error that this server raises itself, with its error word. */
export class NetworkError extends Error {
  override readonly name = "NetworkError";
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
  UND_ERR_HEADERS_OVERFLOW: "headers_too_large",
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: "response_invalid",
  HTTPParserError: "response_invalid", // the error's name, since undici gives it no code
  ERR_ASSERTION: "response_invalid", // undici asserts that the status is not 000
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

/** undici reports these errors with the same code as a closed socket; only the message differs. */
const BAD_RESPONSES: ReadonlySet<string> = new Set(["bad response", "bad upgrade"]);

/**
 * Maps an error from the socket, TLS or HTTP layer to its word. Unknown errors become `send_failed` with their code.
 */
export function failureOf(error: unknown): Failure {
  if (error instanceof NetworkError) return { word: error.word, code: error.code };
  const code = codeOf(error);
  if (code === "UND_ERR_SOCKET" && BAD_RESPONSES.has((error as Error).message))
    return { word: "response_invalid", code };
  const word = CODES[code] ?? FAMILIES.find(([pattern]) => pattern.test(code))?.[1];
  return { word: word ?? "send_failed", code };
}

/**
 * Returns the error's code. If Node tries several addresses and all of them fail, it reports an AggregateError, which
 * may lack a code of its own.
 */
function codeOf(error: unknown): string {
  const { code, errors, name } = (error ?? {}) as { code?: unknown; errors?: unknown[]; name?: unknown };
  if (typeof code === "string" && code !== "") return code;
  if (Array.isArray(errors) && errors.length > 0) return codeOf(errors[0]);
  return typeof name === "string" ? name : "UNKNOWN";
}
