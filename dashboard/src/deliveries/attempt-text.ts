/** What became of an attempt, in words: short for rows, a sentence for a person who has to act. Pure. */
import type { Attempt, Delivery } from "../api/types.ts";
import { took } from "../format.ts";

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

const SHORT: Record<string, string> = {
  dns_failed: "Host does not exist",
  dns_timeout: "Name server silent",
  address_blocked: "Private address",
  connect_refused: "Connection refused",
  connect_timeout: "No connection within 5 s",
  network_unreachable: "Network unreachable",
  tls_failed: "Certificate refused",
  connection_reset: "Closed before it answered",
  response_invalid: "Answer is not HTTP",
  response_too_large: "Answer headers too large",
  timeout: "No response within 15 s",
  redirect_refused: "Redirect not followed",
  stopped: "Server was stopping",
};

/** For one line of a table: "503 Service Unavailable", "No response within 15 s". */
export const shortResponse = (status: number | null, error: string | null): string => {
  if (status !== null) return statusText(status);
  return error === null ? "–" : (SHORT[error] ?? error.replaceAll("_", " "));
};

/** A status or an error word, as the health counts them. */
export const shortWord = (word: string): string =>
  /^\d+$/.test(word) ? statusText(Number(word)) : shortResponse(null, word);

export interface ResponseLine {
  text: string;
  tone: "quiet" | "warn" | "bad";
}

/** The response column of a delivery: its last response, or why it has none. */
export function answerLine(delivery: Delivery): ResponseLine {
  const { status, last_attempt: last, reason, waits_for } = delivery;
  if (status === "canceled") return { text: reason ?? "Canceled", tone: "quiet" };
  if (status === "held") return { text: reason ?? "The webhook is paused", tone: "quiet" };
  if (status === "waiting" && waits_for !== null) return { text: "Waits for the event before it", tone: "quiet" };
  if (last === null || status === "sending") return { text: "", tone: "quiet" };
  const text = shortResponse(last.status, last.error);
  if (status === "succeeded") return { text, tone: "quiet" };
  return { text, tone: status === "failed" ? "bad" : "warn" };
}

const hostOf = (url: string): { host: string; port: string } => {
  const { hostname, port, protocol } = new URL(url);
  return { host: hostname, port: port || (protocol === "https:" ? "443" : "80") };
};

/** The part of an attempt before the receiver had to think: what the network took. */
export const networkMs = ({ timings }: Attempt): number =>
  (timings.dns ?? 0) + (timings.connect ?? 0) + (timings.tls ?? 0);

const REASONS: Record<string, (attempt: Attempt) => string> = {
  dns_failed: ({ url }) => `${hostOf(url).host} does not exist. Check the URL.`,
  dns_timeout: ({ url }) => `The name server did not answer for ${hostOf(url).host}. Usually this passes by itself.`,
  address_blocked: ({ url }) => `${hostOf(url).host} is a private address; an operator can allow it.`,
  connect_refused: ({ url }) => `Nothing listens on ${hostOf(url).host}:${hostOf(url).port}.`,
  connect_timeout: () => "No connection within 5 s; a firewall?",
  network_unreachable: ({ url }) => `There is no way from this server to ${hostOf(url).host}.`,
  tls_failed: ({ error }) => `Certificate refused: ${error?.message ?? error?.code ?? "it could not be verified"}`,
  connection_reset: () => "Closed before it answered.",
  response_invalid: () => "What came back is not an HTTP response.",
  timeout: () => "No response within 15 s. Answer first, work later.",
  redirect_refused: ({ response }) => `Redirects are not followed; register ${locationOf(response)}.`,
  stopped: () => "This server was shutting down; the attempt does not count.",
};

const locationOf = (response: Attempt["response"]): string =>
  response?.headers.find(([name]) => name?.toLowerCase() === "location")?.[1] ?? "the final address";

/** Whose fault it is and what to do, for one attempt. */
export function verdict(attempt: Attempt): string {
  const { status, error, timings } = attempt;
  if (attempt.outcome === "succeeded") return succeeded(attempt);
  if (error?.word === "redirect_refused" || status === null) {
    const reason = REASONS[error?.word ?? ""];
    return reason ? reason(attempt) : (error?.message ?? "The attempt did not end.");
  }
  const network = networkMs(attempt);
  const total = timings.total ?? 0;
  const share = timings.reused ? "The connection was open already" : `Only ${took(network)} of that was the network`;
  const cause = network < total / 2 ? ` ${share}, so the cause is in the receiver.` : "";
  return `The receiver was reached, but answered ${statusText(status)} after ${took(total)}.${cause}${hint(status)}`;
}

function succeeded({ status, timings, note }: Attempt): string {
  const text = `The receiver answered ${statusText(status ?? 200)} after ${took(timings.total)}.`;
  return note === null ? text : `${text} ${note}`;
}

const hint = (status: number): string => {
  if (status === 401 || status === 403) return " Signature refused? Open the debugger.";
  if (status === 404 || status === 405) return " Check the path of the URL, and that it takes POST.";
  if (status === 410) return " 410 says that it wants no more: the webhook was disabled.";
  if (status >= 300 && status < 400) return " Redirects are not followed; register the final address.";
  return "";
};
