import { createServer as createHttp, type RequestListener, type Server } from "node:http";
import { createServer as createHttps, type ServerOptions } from "node:https";
import type { AddressInfo, Server as NetServer } from "node:net";
import { afterEach } from "vitest";
import { systemClock } from "../../server/src/kernel/clock.ts";
import { systemRandom } from "../../server/src/kernel/random.ts";
import { createAddressPolicy } from "../../server/src/net/address-policy.ts";
import { createMachineNames } from "../../server/src/net/machine-names.ts";
import { createSafeClient, type SafeClientParts } from "../../server/src/net/safe-client.ts";
import type { Certificate } from "./certificates.ts";
import { type DnsResult, startDnsServer } from "./dns-server.ts";

/** What to run after the current test, in reverse order. */
export const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

/** An address policy that allows HTTP and these networks. */
export const open = (...allowNetworks: string[]) => createAddressPolicy({ allowHttp: true, allowNetworks });

/** A safe client that ignores this machine's own hosts file and resolver, and is closed after the test. */
export function client(parts: Partial<SafeClientParts> = {}) {
  const made = createSafeClient({
    policy: open("loopback"),
    clock: systemClock,
    random: systemRandom,
    dnsTry_ms: 200,
    machineNames: createMachineNames(systemClock, { hosts: "/dev/null", resolver: "/dev/null" }),
    ...parts,
  });
  endings.push(() => made.close());
  return {
    ...made,
    post: (url: string, deadline_ms = 3_000) =>
      made.send({ url, headers: { "content-type": "application/json" }, body: Buffer.from('{"a":1}'), deadline_ms }),
  };
}

/** A receiver that counts its connections and requests. */
export async function receiver(
  host = "127.0.0.1",
  port = 0,
  certificate?: Certificate & ServerOptions,
  listener: RequestListener = respondOk,
) {
  const server: Server = certificate ? createHttps(certificate, listener) : createHttp(listener);
  const seen = { connections: 0, requests: 0, port: 0, server };
  server.on("connection", () => (seen.connections += 1));
  server.on("request", () => (seen.requests += 1));
  await new Promise<void>((resolve) => (server as NetServer).listen(port, host, resolve));
  seen.port = (server.address() as AddressInfo).port;
  endings.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return seen;
}

export const respondOk: RequestListener = (request, response) => {
  request.resume().on("end", () => response.end("ok"));
};

/** A DNS server that is stopped after the test. */
export async function dns(response: (name: string, type: "A" | "AAAA") => DnsResult) {
  const server = await startDnsServer(response);
  endings.push(() => server.close());
  return server;
}
