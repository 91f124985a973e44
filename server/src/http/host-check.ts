import type { IncomingMessage, ServerResponse } from "node:http";
import { MaveError } from "../kernel/errors.ts";
import { problem } from "./problems.ts";

/**
 * Rejects requests whose Host is neither the public URL's host nor a loopback name. A public server without
 * MAVE_PUBLIC_URL would allow deliveries to loopback, so it must not serve its public name. The check also stops other
 * sites from reaching a local server by DNS rebinding. X-Forwarded-Host is ignored: a proxy must pass Host through or
 * use a loopback name.
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
    const detail = `This server is ${publicUrl}, not ${JSON.stringify(host.slice(0, 100))}. If that host is correct, set MAVE_PUBLIC_URL to it and restart the server.`;
    const body = JSON.stringify(problem(new MaveError("HOST_UNKNOWN", detail), "-"));
    const headers = { "content-type": "application/problem+json", "content-length": Buffer.byteLength(body) };
    response.writeHead(421, { ...headers, connection: "close" }).end(body);
    return false;
  };
}

const LOOPBACK = /^(?:localhost|[a-z0-9-]+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** The host name in a Host header, normalized as in a URL; null if it is invalid. */
function hostname(host: string): string | null {
  if (!/^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.test(host)) return null;
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : null;
}
