/** Formats deliveries and attempts as text: short labels for table rows, and a diagnosis for the delivery page. */
import type { Attempt, Delivery } from "../api/types.ts";
import { duration, plural } from "../format.ts";

/** Formats a number of deliveries, such as "138 deliveries" or "1 pending delivery". */
export const deliveryCount = (count: number, kind = ""): string =>
  plural(count, `${kind} delivery`.trim(), `${kind} deliveries`.trim());

const PHRASES: Record<number, string> = {
  200: "OK",
  201: "Created",
  202: "Accepted",
  204: "No Content",
  301: "Moved Permanently",
  302: "Found",
  303: "See Other",
  304: "Not Modified",
  307: "Temporary Redirect",
  308: "Permanent Redirect",
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  406: "Not Acceptable",
  408: "Request Timeout",
  409: "Conflict",
  410: "Gone",
  411: "Length Required",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  418: "I'm a teapot",
  421: "Misdirected Request",
  422: "Unprocessable Content",
  425: "Too Early",
  429: "Too Many Requests",
  451: "Unavailable For Legal Reasons",
  500: "Internal Server Error",
  501: "Not Implemented",
  502: "Bad Gateway",
  503: "Service Unavailable",
  504: "Gateway Timeout",
};

export const phraseOf = (status: number): string => PHRASES[status] ?? "";
export const statusText = (status: number): string => `${status} ${phraseOf(status)}`.trim();

const ERRORS: Record<string, string> = {
  dns_failed: "Host not found",
  dns_timeout: "DNS timeout",
  address_blocked: "Private address",
  connect_refused: "Connection refused",
  connect_timeout: "No connection within 5 s",
  network_unreachable: "Network unreachable",
  certificate_expired: "Certificate expired",
  certificate_not_yet_valid: "Certificate not valid yet",
  certificate_wrong_name: "Certificate for another host",
  certificate_incomplete: "Certificate chain incomplete",
  certificate_untrusted: "Certificate not trusted",
  client_certificate_required: "Client certificate required",
  tls_too_old: "TLS version too old",
  tls_missing: "No HTTPS on this port",
  http2_only: "HTTP/2 only",
  headers_too_large: "Response headers too large",
  tls_failed: "TLS handshake failed",
  connection_reset: "Connection closed early",
  response_invalid: "Invalid HTTP response",
  timeout: "No response in time",
  redirect_refused: "Redirect not followed",
  stopped: "Server shutting down",
};

/** Formats an attempt's result for a table row, such as "503 Service Unavailable" or "No response in time". */
export const shortResult = (status: number | null, error: string | null): string => {
  if (status !== null) return statusText(status);
  return error === null ? "–" : (ERRORS[error] ?? error.replaceAll("_", " "));
};

/** Formats a response status or an error code, as found in the `word` fields of a webhook's health. */
export const shortError = (word: string): string =>
  /^\d+$/.test(word) ? statusText(Number(word)) : shortResult(null, word);

export interface ResponseCell {
  text: string;
  tone: "quiet" | "warn" | "bad";
}

/** Returns the content of the Response column: the delivery's last response, or why there is none. */
export function responseCell(delivery: Delivery): ResponseCell {
  const { status, last_attempt: last, reason, waits_for } = delivery;
  if (status === "canceled") return { text: reason ?? "Canceled", tone: "quiet" };
  if (status === "held") return { text: reason ?? "Held until resumed", tone: "quiet" };
  if (status === "waiting" && waits_for !== null) return { text: "Waiting for an earlier event", tone: "quiet" };
  if (last === null || status === "sending") return { text: "", tone: "quiet" };
  const text = shortResult(last.status, last.error);
  if (status === "succeeded") return { text, tone: "quiet" };
  return { text, tone: status === "failed" ? "bad" : "warn" };
}

/** Explains what went wrong in an attempt, which side caused it, and what to do. */
export function diagnose(attempt: Attempt): string {
  const { status, error, timings } = attempt;
  if (attempt.outcome === "succeeded") return succeeded(attempt);
  if (error?.word === "redirect_refused" || status === null) {
    const diagnosis = DIAGNOSES[error?.word ?? ""];
    if (diagnosis) return diagnosis(attempt);
    return [error?.message ?? "The attempt did not finish.", attempt.note].filter(Boolean).join(" ");
  }
  const network = networkMs(attempt);
  const total = timings.total ?? 0;
  const share = timings.reused
    ? "The connection was already open"
    : `Only ${duration(network)} of that was network time`;
  const cause = network < total / 2 ? ` ${share}, so the problem is in the receiver.` : "";
  return `The receiver responded with ${statusText(status)} after ${duration(total)}.${cause}${advice(status)}`;
}

function succeeded({ status, timings, note }: Attempt): string {
  const text = `The receiver responded with ${statusText(status ?? 200)} after ${duration(timings.total)}.`;
  return note === null ? text : `${text} ${note}`;
}

/** Returns the time that an attempt spent on DNS, connecting, and TLS before it could send the request. */
export const networkMs = ({ timings }: Attempt): number =>
  (timings.dns ?? 0) + (timings.connect ?? 0) + (timings.tls ?? 0);

const DIAGNOSES: Record<string, (attempt: Attempt) => string> = {
  dns_failed: ({ url }) => `${hostOf(url).host} does not exist. Check the URL.`,
  dns_timeout: ({ url }) => `The DNS lookup for ${hostOf(url).host} timed out. This is usually temporary.`,
  address_blocked: ({ url }) => `${hostOf(url).host} is a private address. An operator can allow it.`,
  connect_refused: ({ url }) => `Nothing is listening on ${hostOf(url).host}:${hostOf(url).port}.`,
  connect_timeout: () => "No connection within 5 s. Check for a firewall.",
  network_unreachable: ({ url }) => `This server has no network route to ${hostOf(url).host}.`,
  tls_failed: ({ error }) => `The TLS handshake failed (${error?.code ?? "no code"}).`,
  connection_reset: () => "The connection was closed before a response arrived.",
  response_invalid: () => "The response is not valid HTTP.",
  timeout: () => "The receiver did not respond in time. Respond first, then process the event.",
  redirect_refused: ({ response }) => `Redirects are not followed. Change the URL to ${locationOf(response)}.`,
  stopped: () => "This server was shutting down. The attempt does not count toward the maximum number of attempts.",
};

const hostOf = (url: string): { host: string; port: string } => {
  const { hostname, port, protocol } = new URL(url);
  return { host: hostname, port: port || (protocol === "https:" ? "443" : "80") };
};

const locationOf = (response: Attempt["response"]): string =>
  response?.headers.find(([name]) => name?.toLowerCase() === "location")?.[1] ?? "the final address";

const advice = (status: number): string => {
  if (status === 401 || status === 403) return " If the signature was rejected, open the debugger.";
  if (status === 404 || status === 405) return " Check the URL's path, and that it accepts POST.";
  if (status === 410) return " A 410 response disables the webhook.";
  if (status >= 300 && status < 400) return " Redirects are not followed. Change the URL to the final address.";
  return "";
};
