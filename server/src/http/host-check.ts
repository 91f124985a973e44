import type { IncomingMessage, ServerResponse } from "node:http";
import { MaveError } from "../kernel/errors.ts";
import { problem } from "./problems.ts";

/**
 * Refuses a request whose Host is neither the public URL's nor a name of this machine. So a forgotten MAVE_PUBLIC_URL
 * cannot leave loopback deliveries open on a public server, and a page elsewhere cannot reach a local one by DNS
 * rebinding. X-Forwarded-Host is not believed: a proxy passes Host on, or connects to a loopback name.
 */
export function createHostCheck(publicUrl: string): (request: IncomingMessage, response: ServerResponse) => boolean {
  const known = new URL(publicUrl).hostname;
  let lastGood = ""; // nearly all requests come by one name
  return (request, response) => {
    const { host = "" } = request.headers;
    if (host !== "" && host === lastGood) return true;
    const name = hostname(host);
    if (name === known || (name !== null && LOOPBACK.test(name))) {
      lastGood = host;
      return true;
    }
    const detail = `This server is ${publicUrl}, not ${JSON.stringify(host.slice(0, 100))}. If people reach it there, set MAVE_PUBLIC_URL to that address and start it again.`;
    const body = JSON.stringify(problem(new MaveError("HOST_UNKNOWN", detail), "-"));
    const headers = { "content-type": "application/problem+json", "content-length": Buffer.byteLength(body) };
    response.writeHead(421, { ...headers, connection: "close" }).end(body);
    return false;
  };
}

const LOOPBACK = /^(?:localhost|[a-z0-9-]+\.localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;

/** The name in a Host header, in the form of a URL's; null where it is none. */
function hostname(host: string): string | null {
  if (!/^(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i.test(host)) return null;
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).hostname : null;
}
