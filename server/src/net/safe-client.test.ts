import { createServer as createHttp, type RequestListener, type Server } from "node:http";
import { createServer as createHttps } from "node:https";
import type { AddressInfo, Server as NetServer } from "node:net";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Certificate, type Certificates, makeCertificates } from "../../../test/support/certificates.ts";
import { type DnsResult, startDnsServer } from "../../../test/support/dns-server.ts";
import { type Clock, systemClock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import { type AddressPolicy, createAddressPolicy } from "./address-policy.ts";
import { createSafeClient, type SafeClientParts } from "./safe-client.ts";

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

const open = (...allowNetworks: string[]) => createAddressPolicy({ allowHttp: true, allowNetworks });

function client(parts: Partial<SafeClientParts> = {}) {
  const made = createSafeClient({ policy: open("loopback"), clock: systemClock, dnsTry_ms: 200, ...parts });
  endings.push(() => made.close());
  return {
    ...made,
    post: (url: string, deadline_ms = 3_000) =>
      made.send({ url, headers: { "content-type": "application/json" }, body: Buffer.from('{"a":1}'), deadline_ms }),
  };
}

/** A receiver on an address of its own, which counts its connections and the bytes that came. */
async function receiver(host = "127.0.0.1", port = 0, certificate?: Certificate, listener: RequestListener = answerOk) {
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

const answerOk: RequestListener = (request, response) => {
  request.resume().on("end", () => response.end("ok"));
};

async function dns(response: (name: string, type: "A" | "AAAA") => DnsResult) {
  const server = await startDnsServer(response);
  endings.push(() => server.close());
  return server;
}

/** A clock that jumps ahead when told; timers run on as usual. */
function jumpingClock(): Clock & { jump(ms: number): void } {
  let ahead = 0;
  return {
    ...systemClock,
    monotonic: () => systemClock.monotonic() + ahead,
    jump: (ms) => {
      ahead += ms;
    },
  };
}

/** The real rules, except that a URL is never refused: what is left is what the connection itself refuses. */
const blindToUrls = (policy: AddressPolicy): AddressPolicy => ({
  ...policy,
  checkUrl: (url) => ({ ok: true, url: new URL(url) }),
});

describe("each of the three places that judge an address holds alone", () => {
  test("the connector refuses a literal before it dials, as no look-up ever sees it", async () => {
    const there = await receiver();
    const { post } = client({ policy: blindToUrls(open()) });
    for (const host of ["127.0.0.1", "2130706433", "[::ffff:127.0.0.1]"]) {
      const exchange = await post(`http://${host}:${there.port}/`);
      expect(exchange, host).toMatchObject({ error: { word: "address_blocked" }, wrote: false, status: null });
    }
    expect(there.connections).toBe(0);
  });

  test("the resolver refuses a name that leads to a private address", async () => {
    const there = await receiver();
    const servers = await dns(() => ({ addresses: ["127.0.0.1", "::1"] }));
    const { post } = client({ policy: open(), dnsServers: [servers.address] });
    const exchange = await post(`http://public.example.com:${there.port}/`);
    expect(exchange).toMatchObject({ error: { word: "address_blocked" }, wrote: false });
    expect(exchange.note).toContain("public.example.com leads to 127.0.0.1");
    expect(there.connections).toBe(0);
  });

  test("one private address among public ones refuses the name", async () => {
    const servers = await dns(() => ({ addresses: ["93.184.216.34", "10.0.0.1"] }));
    const { post } = client({ policy: open(), dnsServers: [servers.address] });
    expect(await post("http://mixed.example.com/")).toMatchObject({ error: { word: "address_blocked" }, wrote: false });
  });

  test("the peer of a connection is judged before a byte of the request is written", async () => {
    const bytes: Buffer[] = [];
    const there = await receiver();
    there.server.on("connection", (socket) => socket.on("data", (part) => bytes.push(part)));
    const servers = await dns(() => ({ addresses: ["127.0.0.1"] }));
    let asked = 0;
    const real = open("loopback");
    // As if the system had connected elsewhere than the resolver said: the second question is about the peer.
    const policy = {
      ...real,
      checkAddress: (ip: string, host?: string) => (++asked === 1 ? real : open()).checkAddress(ip, host),
    };
    const { post } = client({ policy, dnsServers: [servers.address] });
    const exchange = await post(`http://public.example.com:${there.port}/`);
    expect(exchange).toMatchObject({ error: { word: "address_blocked" }, address: "127.0.0.1", wrote: false });
    expect(asked).toBe(2);
    expect(there.requests).toBe(0);
    expect(Buffer.concat(bytes).length).toBe(0);
  });
});

describe("a name that rebinds", () => {
  test("is followed only as far as the address that was judged, response by response", async () => {
    const inner = await receiver("127.0.0.1");
    const outer = await receiver("127.0.0.2", inner.port);
    let address = "127.0.0.2";
    const servers = await dns(() => ({ addresses: [address], ttl: 0 }));
    const clock = jumpingClock();
    const { post } = client({ policy: open("127.0.0.2/32"), dnsServers: [servers.address], clock });
    const url = `http://rebinding.example.com:${inner.port}/`;

    expect(await post(url)).toMatchObject({ status: 200, address: "127.0.0.2" });
    address = "127.0.0.1";
    outer.server.closeAllConnections();
    clock.jump(LIMITS.DNS_CACHE_MIN_MS + 1);
    expect(await post(url)).toMatchObject({ error: { word: "address_blocked" }, wrote: false });
    expect(inner.connections).toBe(0);
  });

  test("that answers anew at each question never reaches the private address", async () => {
    const inner = await receiver("127.0.0.1");
    await receiver("127.0.0.2", inner.port);
    let turn = 0;
    const servers = await dns(() => ({ addresses: [turn++ % 2 === 0 ? "127.0.0.2" : "127.0.0.1"], ttl: 0 }));
    const clock = jumpingClock();
    const { post } = client({ policy: open("127.0.0.2/32"), dnsServers: [servers.address], clock });
    for (let round = 0; round < 20; round += 1) {
      const { status, error } = await post(`http://flipping-${round}.example.com:${inner.port}/`);
      expect(status === 200 || error?.word === "address_blocked").toBe(true);
      clock.jump(LIMITS.DNS_CACHE_MIN_MS + 1);
    }
    expect(inner.connections).toBe(0);
  });
});

describe("names", () => {
  test.each([
    ["nxdomain", "dns_failed"],
    ["servfail", "dns_failed"],
    ["refused", "dns_failed"],
    ["silence", "dns_timeout"],
  ] as const)("a DNS server that says %s makes the word %s", async (said, word) => {
    const servers = await dns(() => said);
    const { post } = client({ dnsServers: [servers.address] });
    const exchange = await post("http://somewhere.example.com/");
    expect(exchange).toMatchObject({ error: { word }, wrote: false, status: null });
    expect(exchange.note).toContain("somewhere.example.com");
  });

  test("no address at all is dns_failed; one family is enough", async () => {
    const there = await receiver();
    const servers = await dns((name) => ({ addresses: name.startsWith("four") ? ["127.0.0.1"] : [] }));
    const { post } = client({ dnsServers: [servers.address] });
    expect(await post("http://none.example.com/")).toMatchObject({ error: { word: "dns_failed", code: "ENODATA" } });
    expect(await post(`http://four.example.com:${there.port}/`)).toMatchObject({ status: 200 });
  });

  test("who asks at once shares one question, and the response is kept", async () => {
    const there = await receiver();
    const servers = await dns(() => ({ addresses: ["127.0.0.1"], ttl: 60 }));
    const { post } = client({ dnsServers: [servers.address] });
    await Promise.all(Array.from({ length: 8 }, () => post(`http://shared.example.com:${there.port}/`)));
    there.server.closeAllConnections();
    expect(await post(`http://shared.example.com:${there.port}/again`)).toMatchObject({ status: 200 });
    expect(servers.questions.length).toBe(2);
  });

  test("while DNS is in trouble the last good response stands in; after a plain no it does not", async () => {
    const there = await receiver("127.0.0.1", 0, undefined, (request, response) => {
      response.setHeader("connection", "close");
      answerOk(request, response);
    });
    let said: DnsResult = { addresses: ["127.0.0.1"], ttl: 1 };
    const servers = await dns(() => said);
    const clock = jumpingClock();
    const { post } = client({ dnsServers: [servers.address], clock });
    const url = `http://moving.example.com:${there.port}/`;
    expect(await post(url)).toMatchObject({ status: 200 });
    said = "servfail";
    clock.jump(LIMITS.DNS_CACHE_MIN_MS + 1);
    expect(await post(url)).toMatchObject({ status: 200 });
    clock.jump(LIMITS.DNS_STALE_MS + LIMITS.DNS_CACHE_MIN_MS);
    expect(await post(url)).toMatchObject({ error: { word: "dns_failed" } });
    said = { addresses: ["127.0.0.1"], ttl: 1 };
    clock.jump(LIMITS.DNS_FAILURE_CACHE_MS + 1);
    expect(await post(url)).toMatchObject({ status: 200 });
    said = "nxdomain";
    clock.jump(LIMITS.DNS_CACHE_MIN_MS + 1);
    expect(await post(url)).toMatchObject({ error: { word: "dns_failed", code: "ENOTFOUND" } });
  });

  test("localhost is this machine without any DNS, and only where loopback is open", async () => {
    const there = await receiver();
    const servers = await dns(() => "silence");
    const opened = client({ dnsServers: [servers.address] });
    expect(await opened.post(`http://localhost:${there.port}/`)).toMatchObject({ status: 200 });
    const closed = client({ policy: blindToUrls(open()), dnsServers: [servers.address] });
    expect(await closed.post(`http://localhost:${there.port}/`)).toMatchObject({ error: { word: "address_blocked" } });
    expect(servers.questions).toEqual([]);
  });

  test("64 names that hang do not hold up a healthy one", async () => {
    const there = await receiver();
    const servers = await dns((name) => (name.startsWith("hangs") ? "silence" : { addresses: ["127.0.0.1"] }));
    const { post } = client({ dnsServers: [servers.address], dnsTry_ms: 1_500 });
    const hanging = Array.from({ length: 64 }, (_, index) => post(`http://hangs-${index}.example.com/`, 4_000));
    let ended = 0;
    for (const one of hanging) void one.then(() => (ended += 1));
    const healthy = await post(`http://healthy.example.com:${there.port}/`);
    expect(healthy).toMatchObject({ status: 200 });
    expect(ended).toBe(0); // it was answered before any of them was given up
    for (const exchange of await Promise.all(hanging)) expect(exchange.error?.word).toMatch(/^(timeout|dns_timeout)$/);
  });
});

describe("TLS", () => {
  let certificates: Certificates;
  beforeAll(() => {
    certificates = makeCertificates();
  });

  test("a certificate by a trusted authority is accepted, and its end is seen", async () => {
    const there = await receiver("127.0.0.1", 0, certificates.good);
    const { post } = client({ extraCa: [certificates.ca] });
    for (const host of ["localhost", "127.0.0.1"]) {
      const exchange = await post(`https://${host}:${there.port}/`);
      expect(exchange).toMatchObject({ status: 200, certificateUntil: new Date("2059-01-01T00:00:00Z") });
      expect(exchange.timings.tls).toBeGreaterThan(0);
    }
  });

  test.each(["expired", "notYetValid", "wrongName", "selfSigned", "unknownAuthority"] as const)(
    "a certificate that is %s is refused, and no byte of the request leaves",
    async (fault) => {
      const there = await receiver("127.0.0.1", 0, certificates[fault]);
      const { post } = client({ extraCa: [certificates.ca] });
      const exchange = await post(`https://localhost:${there.port}/`);
      expect(exchange).toMatchObject({ error: { word: "tls_failed" }, status: null, wrote: false });
      expect(exchange.error?.code).toMatch(/^[A-Z_]+$/);
      expect(there.requests).toBe(0);
    },
  );

  test("the name is verified by the URL's host, not by what DNS says", async () => {
    const there = await receiver("127.0.0.1", 0, certificates.good);
    const servers = await dns(() => ({ addresses: ["127.0.0.1"] }));
    const { post } = client({ extraCa: [certificates.ca], dnsServers: [servers.address] });
    expect(await post(`https://receiver.example.net:${there.port}/`)).toMatchObject({ status: 200 });
    expect(await post(`https://other.example.net:${there.port}/`)).toMatchObject({ error: { word: "tls_failed" } });
  });

  test("without the extra authority the same certificate is refused", async () => {
    const there = await receiver("127.0.0.1", 0, certificates.good);
    expect(await client().post(`https://localhost:${there.port}/`)).toMatchObject({ error: { word: "tls_failed" } });
  });
});

describe("connections", () => {
  test("are kept and used again; the phases belong to the first request", async () => {
    const there = await receiver();
    const { post } = client();
    const first = await post(`http://localhost:${there.port}/`);
    const second = await post(`http://localhost:${there.port}/`);
    expect(there.connections).toBe(1);
    expect(first.timings).toMatchObject({
      reused: false,
      dns: expect.any(Number),
      connect: expect.any(Number),
      tls: null,
    });
    expect(second.timings).toMatchObject({ reused: true, dns: null, connect: null, tls: null });
    expect(second.timings.first_byte).toBeLessThanOrEqual(second.timings.total);
  });

  test("to one origin are bounded: the rest stand in line and all arrive", async () => {
    const there = await receiver();
    const { post, inFlight } = client();
    const all = Array.from({ length: 100 }, () => post(`http://127.0.0.1:${there.port}/`));
    expect(inFlight()).toBe(100);
    for (const exchange of await Promise.all(all)) expect(exchange.status).toBe(200);
    expect(there.connections).toBeLessThanOrEqual(LIMITS.ORIGIN_SOCKETS_MAX);
    expect(inFlight()).toBe(0);
  });

  test("a sequence of sends opens one connection, each begun as soon as the last has settled", async () => {
    const there = await receiver();
    const { post } = client();
    for (let count = 0; count < 50; count += 1) await post(`http://127.0.0.1:${there.port}/`);
    expect(there.connections).toBe(1);
  });

  test("that a dead origin refuses leave nobody standing in line", async () => {
    const there = await receiver();
    there.server.close();
    const { post } = client();
    const all = await Promise.all(Array.from({ length: 100 }, () => post(`http://127.0.0.1:${there.port}/`)));
    for (const exchange of all) expect(exchange).toMatchObject({ error: { word: "connect_refused" }, wrote: false });
  });

  test("who waits in line keeps its own deadline and is never written", async () => {
    const there = await receiver("127.0.0.1", 0, undefined, (request) => request.resume());
    const { post } = client();
    const all = Array.from({ length: 30 }, (_, index) =>
      post(`http://127.0.0.1:${there.port}/`, index < 16 ? 600 : 200),
    );
    const exchanges = await Promise.all(all);
    expect(exchanges.slice(16).map(({ error, wrote }) => [error?.word, error?.code, wrote])).toEqual(
      Array(14).fill(["timeout", "CONNECT", false]),
    );
    expect(there.requests).toBe(16);
  });
});

describe("what is sent", () => {
  test("is exactly the given bytes and headers, and nothing that invites compression", async () => {
    let seen: { method?: string | undefined; url?: string | undefined; headers?: string[]; body?: string } = {};
    const there = await receiver("127.0.0.1", 0, undefined, (request, response) => {
      const parts: Buffer[] = [];
      request.on("data", (part) => parts.push(part));
      request.on("end", () => {
        seen = {
          method: request.method,
          url: request.url,
          headers: request.rawHeaders,
          body: Buffer.concat(parts).toString(),
        };
        response.end();
      });
    });
    await client().post(`http://127.0.0.1:${there.port}/path%20x?q=1&r=%F0%9F%8E%AC#fragment`);
    expect(seen).toEqual({
      method: "POST",
      url: "/path%20x?q=1&r=%F0%9F%8E%AC",
      headers: [
        "host",
        `127.0.0.1:${there.port}`,
        "connection",
        "keep-alive",
        "content-type",
        "application/json",
        "content-length",
        "7",
      ],
      body: '{"a":1}',
    });
  });
});

describe("ending", () => {
  test("drain waits for what is under way; close ends it with the word stopped", async () => {
    const there = await receiver("127.0.0.1", 0, undefined, (request) => request.resume());
    const { post, drain, close, inFlight } = client();
    const hanging = post(`http://127.0.0.1:${there.port}/`);
    await expect.poll(() => there.requests).toBe(1);
    let drained = false;
    const draining = drain().then(() => {
      drained = true;
    });
    expect(drained).toBe(false);
    await close();
    expect(await hanging).toMatchObject({ error: { word: "stopped" }, wrote: true });
    await draining;
    expect(inFlight()).toBe(0);
    expect(await post(`http://127.0.0.1:${there.port}/`)).toMatchObject({ error: { word: "stopped" }, wrote: false });
  });

  test("drain is done at once where nothing is under way", async () => {
    await client().drain();
  });
});
