import { describe, expect, test } from "vitest";
import type { DnsResult } from "../../../test/support/dns-server.ts";
import { eventually } from "../../../test/support/eventually.ts";
import { client, dns, open, receiver, respondOk } from "../../../test/support/safe-client.ts";
import { type Clock, systemClock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { AddressPolicy } from "./address-policy.ts";

/** A clock whose time can jump ahead; its timers run as usual. */
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

/** Skips the URL check, so that only the connection's own checks apply. */
const withoutUrlCheck = (policy: AddressPolicy): AddressPolicy => ({
  ...policy,
  checkUrl: (url) => ({ ok: true, url: new URL(url) }),
});

describe("each of the three address checks works on its own:", () => {
  test("the connector rejects a literal address before connecting", async () => {
    const target = await receiver();
    const { post } = client({ policy: withoutUrlCheck(open()) });
    for (const host of ["127.0.0.1", "2130706433", "[::ffff:127.0.0.1]"]) {
      const exchange = await post(`http://${host}:${target.port}/`);
      expect(exchange, host).toMatchObject({ error: { word: "address_blocked" }, wrote: false, status: null });
    }
    expect(target.connections).toBe(0);
  });

  test("the resolver rejects a name that resolves to a private address", async () => {
    const target = await receiver();
    const servers = await dns(() => ({ addresses: ["127.0.0.1", "::1"] }));
    const { post } = client({ policy: open(), dnsServers: [servers.address] });
    const exchange = await post(`http://public.example.com:${target.port}/`);
    expect(exchange).toMatchObject({ error: { word: "address_blocked" }, wrote: false });
    expect(exchange.note).toContain("public.example.com resolves to 127.0.0.1");
    expect(target.connections).toBe(0);
  });

  test("the resolver rejects a name if any of its addresses is private", async () => {
    const servers = await dns(() => ({ addresses: ["93.184.216.34", "10.0.0.1"] }));
    const { post } = client({ policy: open(), dnsServers: [servers.address] });
    expect(await post("http://mixed.example.com/")).toMatchObject({ error: { word: "address_blocked" }, wrote: false });
  });

  test("the peer's address is checked before any byte of the request is sent", async () => {
    const bytes: Buffer[] = [];
    const target = await receiver();
    target.server.on("connection", (socket) => socket.on("data", (part) => bytes.push(part)));
    const servers = await dns(() => ({ addresses: ["127.0.0.1"] }));
    let checks = 0;
    const real = open("loopback");
    // Simulates a connection to an address other than the resolved one. The second check is for the peer.
    const policy = {
      ...real,
      checkAddress: (ip: string, host?: string) => (++checks === 1 ? real : open()).checkAddress(ip, host),
    };
    const { post } = client({ policy, dnsServers: [servers.address] });
    const exchange = await post(`http://public.example.com:${target.port}/`);
    expect(exchange).toMatchObject({ error: { word: "address_blocked" }, address: "127.0.0.1", wrote: false });
    expect(checks).toBe(2);
    expect(target.requests).toBe(0);
    expect(Buffer.concat(bytes).length).toBe(0);
  });
});

describe("a name that rebinds to a private address", () => {
  test("is rejected once its cached address expires", async () => {
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

  test("never reaches that address, even if the DNS result changes with every query", async () => {
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

describe("name resolution", () => {
  test.each([
    ["nxdomain", "dns_failed"],
    ["servfail", "dns_failed"],
    ["refused", "dns_failed"],
    ["silence", "dns_timeout"],
  ] as const)("reports the DNS result %s as the error word %s", async (result, word) => {
    const servers = await dns(() => result);
    const { post } = client({ dnsServers: [servers.address] });
    const exchange = await post("http://somewhere.example.com/");
    expect(exchange).toMatchObject({ error: { word }, wrote: false, status: null });
    expect(exchange.note).toContain("somewhere.example.com");
  });

  test("fails with dns_failed if the name has no address, and succeeds if it has one in either address family", async () => {
    const target = await receiver();
    const servers = await dns((name) => ({ addresses: name.startsWith("four") ? ["127.0.0.1"] : [] }));
    const { post } = client({ dnsServers: [servers.address] });
    expect(await post("http://none.example.com/")).toMatchObject({ error: { word: "dns_failed", code: "ENODATA" } });
    expect(await post(`http://four.example.com:${target.port}/`)).toMatchObject({ status: 200 });
  });

  test("shares one query between concurrent requests and caches the result", async () => {
    const target = await receiver();
    const servers = await dns(() => ({ addresses: ["127.0.0.1"], ttl: 60 }));
    const { post } = client({ dnsServers: [servers.address] });
    await Promise.all(Array.from({ length: 8 }, () => post(`http://shared.example.com:${target.port}/`)));
    target.server.closeAllConnections();
    expect(await post(`http://shared.example.com:${target.port}/again`)).toMatchObject({ status: 200 });
    expect(servers.questions.length).toBe(2);
  });

  test("uses the last good result while DNS servers fail, but not after NXDOMAIN", async () => {
    const target = await receiver("127.0.0.1", 0, undefined, (request, response) => {
      response.setHeader("connection", "close");
      respondOk(request, response);
    });
    let result: DnsResult = { addresses: ["127.0.0.1"], ttl: 1 };
    const servers = await dns(() => result);
    const clock = jumpingClock();
    const { post } = client({ dnsServers: [servers.address], clock });
    const url = `http://moving.example.com:${target.port}/`;
    expect(await post(url)).toMatchObject({ status: 200 });
    result = "servfail";
    clock.jump(LIMITS.DNS_CACHE_MIN_MS + 1);
    expect(await post(url)).toMatchObject({ status: 200 });
    clock.jump(LIMITS.DNS_STALE_MS + LIMITS.DNS_CACHE_MIN_MS);
    expect(await post(url)).toMatchObject({ error: { word: "dns_failed" } });
    result = { addresses: ["127.0.0.1"], ttl: 1 };
    clock.jump(LIMITS.DNS_FAILURE_CACHE_MS + 1);
    expect(await post(url)).toMatchObject({ status: 200 });
    result = "nxdomain";
    clock.jump(LIMITS.DNS_CACHE_MIN_MS + 1);
    expect(await post(url)).toMatchObject({ error: { word: "dns_failed", code: "ENOTFOUND" } });
  });

  test("resolves localhost without DNS, and only if loopback is allowed", async () => {
    const target = await receiver();
    const servers = await dns(() => "silence");
    const opened = client({ dnsServers: [servers.address] });
    expect(await opened.post(`http://localhost:${target.port}/`)).toMatchObject({ status: 200 });
    const closed = client({ policy: withoutUrlCheck(open()), dnsServers: [servers.address] });
    expect(await closed.post(`http://localhost:${target.port}/`)).toMatchObject({ error: { word: "address_blocked" } });
    expect(servers.questions).toEqual([]);
  });

  test("is not delayed by 64 names that time out", async () => {
    const target = await receiver();
    const servers = await dns((name) => (name.startsWith("hangs") ? "silence" : { addresses: ["127.0.0.1"] }));
    const { post } = client({ dnsServers: [servers.address], dnsTry_ms: 1_500 });
    const hanging = Array.from({ length: 64 }, (_, index) => post(`http://hangs-${index}.example.com/`, 4_000));
    let ended = 0;
    for (const one of hanging) void one.then(() => (ended += 1));
    const healthy = await post(`http://healthy.example.com:${target.port}/`);
    expect(healthy).toMatchObject({ status: 200 });
    expect(ended).toBe(0); // the healthy request finished before any of them timed out
    for (const exchange of await Promise.all(hanging)) expect(exchange.error?.word).toMatch(/^(timeout|dns_timeout)$/);
  });
});

describe("connections", () => {
  test("are reused, and only the first request on each reports connection timings", async () => {
    const target = await receiver();
    const { post } = client();
    const first = await post(`http://localhost:${target.port}/`);
    const second = await post(`http://localhost:${target.port}/`);
    expect(target.connections).toBe(1);
    expect(first.timings).toMatchObject({
      reused: false,
      dns: expect.any(Number),
      connect: expect.any(Number),
      tls: null,
    });
    expect(second.timings).toMatchObject({ reused: true, dns: null, connect: null, tls: null });
    expect(second.timings.first_byte).toBeLessThanOrEqual(second.timings.total);
  });

  test("are closed after one request while too many are open", async () => {
    const gate = Promise.withResolvers<void>();
    const kept: (string | undefined)[] = [];
    const target = await receiver("0.0.0.0", 0, undefined, async (request, response) => {
      kept.push(request.headers.connection);
      await gate.promise;
      respondOk(request, response);
    });
    const { post } = client();
    const hosts = Math.ceil(LIMITS.SOCKETS_OPEN_MAX / LIMITS.ORIGIN_SOCKETS_MAX);
    const all = Array.from({ length: hosts }, (_, host) =>
      Array.from({ length: LIMITS.ORIGIN_SOCKETS_MAX }, () =>
        post(`http://127.0.1.${host + 1}:${target.port}/`, 30_000),
      ),
    ).flat();
    await eventually(() => expect(target.connections).toBe(hosts * LIMITS.ORIGIN_SOCKETS_MAX));
    gate.resolve();
    for (const exchange of await Promise.all(all)) expect(exchange.status).toBe(200);
    expect(new Set(kept)).toEqual(new Set(["keep-alive"]));
    expect(await post(`http://127.0.2.1:${target.port}/`)).toMatchObject({ status: 200 });
    expect(kept.at(-1)).toBe("close");
  }, 60_000);

  test("to one origin are limited in number, and further requests wait in a queue", async () => {
    const target = await receiver();
    const { post, inFlight } = client();
    const all = Array.from({ length: 100 }, () => post(`http://127.0.0.1:${target.port}/`));
    expect(inFlight()).toBe(100);
    for (const exchange of await Promise.all(all)) expect(exchange.status).toBe(200);
    expect(target.connections).toBeLessThanOrEqual(LIMITS.ORIGIN_SOCKETS_MAX);
    expect(inFlight()).toBe(0);
  });

  test("are reused by a request that starts as soon as the previous one settles", async () => {
    const target = await receiver();
    const { post } = client();
    for (let count = 0; count < 50; count += 1) await post(`http://127.0.0.1:${target.port}/`);
    expect(target.connections).toBe(1);
  });

  test("that a dead origin refuses do not block queued requests", async () => {
    const target = await receiver();
    target.server.close();
    const { post } = client();
    const all = await Promise.all(Array.from({ length: 100 }, () => post(`http://127.0.0.1:${target.port}/`)));
    for (const exchange of all) expect(exchange).toMatchObject({ error: { word: "connect_refused" }, wrote: false });
  });

  test("that are busy do not extend a queued request's deadline, and the request is never sent late", async () => {
    const target = await receiver("127.0.0.1", 0, undefined, (request) => request.resume());
    const { post } = client();
    const all = Array.from({ length: 30 }, (_, index) =>
      post(`http://127.0.0.1:${target.port}/`, index < 16 ? 600 : 200),
    );
    const exchanges = await Promise.all(all);
    expect(exchanges.slice(16).map(({ error, wrote }) => [error?.word, error?.code, wrote])).toEqual(
      Array(14).fill(["timeout", "CONNECT", false]),
    );
    expect(target.requests).toBe(16);
  });
});

describe("a connection that has reached its maximum age", () => {
  /** A clock whose timers for connection age run only when `age` is called. */
  function agingClock() {
    const timers: { delay_ms: number; work: () => void }[] = [];
    const clock = jumpingClock();
    const after: Clock["after"] = (delay_ms, work) => {
      if (delay_ms < LIMITS.CONNECTION_AGE_MS / 2) return clock.after(delay_ms, work);
      const timer = { delay_ms, work };
      timers.push(timer);
      return () => void timers.splice(timers.indexOf(timer), 1);
    };
    const age = () => {
      for (const { work } of timers.splice(0)) work();
    };
    return { ...clock, after, age, ages: () => timers.map(({ delay_ms }) => delay_ms) };
  }

  test("is not used again, so requests follow a name that moves to another address", async () => {
    const before = await receiver("127.0.0.1");
    const after = await receiver("127.0.0.2", before.port);
    let address = "127.0.0.1";
    const servers = await dns(() => ({ addresses: [address], ttl: 1 }));
    const clock = agingClock();
    const { post } = client({ dnsServers: [servers.address], clock });
    const url = `http://moving.example.com:${before.port}/`;
    expect(await post(url)).toMatchObject({ address: "127.0.0.1" });
    address = "127.0.0.2";
    clock.jump(LIMITS.DNS_CACHE_MIN_MS + 1);
    expect(await post(url)).toMatchObject({ address: "127.0.0.1", timings: { reused: true } });
    clock.age();
    expect(await post(url)).toMatchObject({ status: 200, address: "127.0.0.2", timings: { reused: false } });
    expect([before.requests, after.requests]).toEqual([2, 1]);
  });

  test("is closed only after the request in flight on it finishes", async () => {
    const respond: (() => void)[] = [];
    const target = await receiver("127.0.0.1", 0, undefined, (request, response) => {
      request.resume();
      respond.push(() => response.end("ok"));
    });
    const clock = agingClock();
    const { post } = client({ clock });
    const [url, closed] = [`http://127.0.0.1:${target.port}/`, { count: 0 }];
    target.server.on("connection", (socket) => socket.on("close", () => (closed.count += 1)));
    const first = post(url);
    await expect.poll(() => respond.length).toBe(1);
    clock.age();
    respond.shift()!();
    expect(await first).toMatchObject({ status: 200, note: null });
    await expect.poll(() => closed.count).toBe(1);
    const second = post(url);
    await expect.poll(() => respond.length).toBe(1);
    respond.shift()!();
    expect(await second).toMatchObject({ status: 200, timings: { reused: false } });
  });

  test("was open for 48 to 60 seconds, or longer if the TTL of its name's DNS record is longer", async () => {
    const target = await receiver();
    const servers = await dns(() => ({ addresses: ["127.0.0.1"], ttl: 200 }));
    const clock = agingClock();
    const { post } = client({ dnsServers: [servers.address], clock, random: { fraction: () => 0.5 } });
    await post(`http://127.0.0.1:${target.port}/`);
    await post(`http://named.example.com:${target.port}/`);
    expect(clock.ages()).toEqual([54_000, 180_000]);
  });
});

describe("a fresh request", () => {
  test("opens a new connection even if others are idle, and closes it afterward", async () => {
    const target = await receiver();
    const { post, send } = client();
    const url = `http://127.0.0.1:${target.port}/`;
    await Promise.all([post(url), post(url)]);
    const connections = target.connections;
    for (let count = 1; count <= 3; count += 1) {
      const exchange = await send({ url, headers: {}, body: Buffer.from("{}"), deadline_ms: 3_000, fresh: true });
      expect(exchange).toMatchObject({ status: 200, timings: { reused: false } });
      expect(target.connections).toBe(connections + count);
    }
    expect(await post(url)).toMatchObject({ timings: { reused: true } });
  });
});

describe("the request", () => {
  test("contains exactly the given bytes and headers, and no Accept-Encoding", async () => {
    let seen: { method?: string | undefined; url?: string | undefined; headers?: string[]; body?: string } = {};
    const target = await receiver("127.0.0.1", 0, undefined, (request, response) => {
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
    await client().post(`http://127.0.0.1:${target.port}/path%20x?q=1&r=%F0%9F%8E%AC#fragment`);
    expect(seen).toEqual({
      method: "POST",
      url: "/path%20x?q=1&r=%F0%9F%8E%AC",
      headers: [
        "host",
        `127.0.0.1:${target.port}`,
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

describe("shutdown", () => {
  test("drain waits for requests in flight, and close ends them with the error word stopped", async () => {
    const target = await receiver("127.0.0.1", 0, undefined, (request) => request.resume());
    const { post, drain, close, inFlight } = client();
    const hanging = post(`http://127.0.0.1:${target.port}/`);
    await expect.poll(() => target.requests).toBe(1);
    let drained = false;
    const draining = drain().then(() => {
      drained = true;
    });
    expect(drained).toBe(false);
    await close();
    expect(await hanging).toMatchObject({ error: { word: "stopped" }, wrote: true });
    await draining;
    expect(inFlight()).toBe(0);
    expect(await post(`http://127.0.0.1:${target.port}/`)).toMatchObject({ error: { word: "stopped" }, wrote: false });
  });

  test("drain resolves immediately if no request is in flight", async () => {
    await client().drain();
  });
});
