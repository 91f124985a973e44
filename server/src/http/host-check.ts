import type { IncomingMessage, ServerResponse } from "node:http";
import { MaveError } from "../kernel/errors.ts";
import { problem } from "./problems.ts";

/**
 * Creates a check that rejects requests whose Host is neither the public URL's host nor a loopback name. Without
 * MAVE_PUBLIC_URL, a server allows deliveries to loopback addresses, so it must not respond to requests for a public
 * name. The check also stops other sites from reaching a local server through DNS rebinding. X-Forwarded-Host is
 * ignored, so a proxy must either pass Host through or replace it with a loopback name.
 */
export function createHostCheck(publicUrl: string): (request: IncomingMessage, response: ServerResponse) => boolean {
  const publicHost = new URL(publicUrl).hostname;
  let lastGood = ""; // nearly all requests have the same host
  return (request, response) => {
    const { host = "" } = request.headers;
    if (namesTwoHosts(request)) {
      reject(response, 400, new MaveError("REQUEST_MALFORMED", "The request names more than one host."));
      return false;
    }
    if (host !== "" && host === lastGood) return true;
    const name = hostname(host);
    if (name === publicHost || (name !== null && LOOPBACK.test(name))) {
      lastGood = host;
      return true;
    }
    const detail = `The Host header is ${JSON.stringify(host.slice(0, 100))}, but this server's URL is ${publicUrl}. If the host is correct, set MAVE_PUBLIC_URL to its URL and restart the server.`;
    reject(response, 421, new MaveError("HOST_UNKNOWN", detail));
    return false;
  };
}

function reject(response: ServerResponse, status: number, error: MaveError): void {
  const body = JSON.stringify(problem(error, "-"));
  const headers = { "content-type": "application/problem+json", "content-length": Buffer.byteLength(body) };
  response.writeHead(status, { ...headers, connection: "close" }).end(body);
}

/**
 * Whether the request has two Host headers, or a target with a different host (RFC 9112 §3.2). Proxies and servers
 * disagree about which of the two counts.
 */
function namesTwoHosts({ rawHeaders, url = "", headers: { host = "" } }: IncomingMessage): boolean {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2)
    if (rawHeaders[at]!.length === 4 && rawHeaders[at]!.toLowerCase() === "host") hosts += 1;
  if (hosts > 1) return true;
  return !url.startsWith("/") && URL.canParse(url) && new URL(url).host.toLowerCase() !== host.toLowerCase();
}

const LOOPBACK = /^(?:localhost|[a-z0-9-]+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** Returns the host name from a Host header, normalized as in a URL, or null if the header is invalid. */
function hostname(host: string): string | null {
  if (!/^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.test(host)) return null;
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : null;
}
