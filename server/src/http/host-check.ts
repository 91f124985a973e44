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
    if (host !== "" && host === lastGood) return true;
    const name = hostname(host);
    if (name === publicHost || (name !== null && LOOPBACK.test(name))) {
      lastGood = host;
      return true;
    }
    const detail = `The Host header is ${JSON.stringify(host.slice(0, 100))}, but this server's URL is ${publicUrl}. If the host is correct, set MAVE_PUBLIC_URL to its URL and restart the server.`;
    const body = JSON.stringify(problem(new MaveError("HOST_UNKNOWN", detail), "-"));
    const headers = { "content-type": "application/problem+json", "content-length": Buffer.byteLength(body) };
    response.writeHead(421, { ...headers, connection: "close" }).end(body);
    return false;
  };
}

const LOOPBACK = /^(?:localhost|[a-z0-9-]+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** Returns the host name from a Host header, normalized as in a URL, or null if the header is invalid. */
function hostname(host: string): string | null {
  if (!/^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.test(host)) return null;
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : null;
}
