import { type AddressInfo, createServer } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { afterEach, describe, expect, test } from "vitest";
import { type Clock, systemClock } from "../../server/src/kernel/clock.ts";
import { LIMITS } from "../../server/src/kernel/limits.ts";
import { systemRandom } from "../../server/src/kernel/random.ts";
import { createAddressPolicy } from "../../server/src/net/address-policy.ts";
import { ERROR_WORDS } from "../../server/src/net/error-words.ts";
import { createSafeClient, type Exchange } from "../../server/src/net/safe-client.ts";
import { startBlackHole, startHostileReceiver } from "../support/hostile-receiver.ts";
import { HOSTILITIES } from "../support/hostilities.ts";

/** The deadlines for receivers that stall and for those that finish. The longer one allows for a busy machine. */
const [DEADLINE_MS, GENEROUS_MS] = [500, 20_000];
const CONNECT_MS = 300;
const LATE_MS = 250;

/**
 * If this process was paused, Node fires due timers before it reads sockets. This clock lets pending reads run first.
 */
const clock: Clock = {
  ...systemClock,
  after(delay_ms, work) {
    let canceled = false;
    const cancel = systemClock.after(delay_ms, async () => {
      for (let turn = 0; turn < 10; turn += 1) await new Promise(setImmediate);
      if (!canceled) work();
    });
    return () => {
      canceled = true;
      cancel();
    };
  },
};

const endings: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end();
});

function client(deadline_ms = GENEROUS_MS) {
  const policy = createAddressPolicy({ allowHttp: true, allowNetworks: ["loopback"] });
  const made = createSafeClient({
    policy,
    clock,
    random: systemRandom,
    ...(deadline_ms === DEADLINE_MS && { connect_ms: CONNECT_MS }),
  });
  endings.push(() => made.close());
  return (url: string, body = "{}") =>
    made.send({ url, headers: { "content-type": "application/json" }, body: Buffer.from(body), deadline_ms });
}

/** Waits for the exchange, but only until shortly after `limit_ms`. */
function settledBy(limit_ms: number, exchange: Promise<Exchange>): Promise<Exchange | "not settled"> {
  return Promise.race([
    exchange,
    new Promise<"not settled">((resolve) => clock.after(limit_ms + LATE_MS, () => resolve("not settled"))),
  ]);
}

async function hostile(name: string) {
  const receiver = await startHostileReceiver(name);
  endings.push(() => receiver.close());
  return receiver;
}

describe("a hostile receiver", () => {
  test.each(Object.keys(HOSTILITIES))("%s: the exchange settles by the deadline as expected", async (name) => {
    const { url, hostility } = await hostile(name);
    const deadline_ms = hostility.stalls ? DEADLINE_MS : GENEROUS_MS;
    const exchange = await settledBy(deadline_ms, client(deadline_ms)(url));

    if (exchange === "not settled") return expect.fail(`not settled ${LATE_MS} ms after its deadline`);
    expect(exchange.status ?? exchange.error?.word).toBe(hostility.expect);
    if (exchange.error?.word !== "response_invalid" && exchange.error?.word !== "headers_too_large")
      expect(exchange.note ?? "").toMatch(hostility.note ?? /^$/);
    const success = exchange.status !== null && exchange.status >= 200 && exchange.status < 300;
    expect(exchange.error === null).toBe(success);
    if (exchange.error !== null) expect(Object.keys(ERROR_WORDS)).toContain(exchange.error.word);
    expect(exchange.response?.body.length ?? 0).toBeLessThanOrEqual(LIMITS.RESPONSE_STORED_BYTES);
    expect(exchange.response?.bytes ?? 0).toBeLessThanOrEqual(LIMITS.RESPONSE_READ_BYTES + 65_536);
  });

  test("with a closed port results in connect_refused", async () => {
    const server = createServer().listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    expect(await client()(`http://127.0.0.1:${port}/`)).toMatchObject({
      error: { word: "connect_refused" },
      wrote: false,
    });
  });

  test("that drops every packet delays the exchange only until the connect timeout", async () => {
    const hole = await startBlackHole();
    endings.push(() => hole.close());
    const sent = client(DEADLINE_MS)(`http://127.0.0.1:${hole.port}/`);
    const exchange = await settledBy(CONNECT_MS, sent);
    expect(exchange).toMatchObject({ error: { word: "connect_timeout", code: "TCP" }, wrote: false });
  });

  test("that never ends the reason phrase or a chunk extension is cut off long before the deadline", async () => {
    const post = client();
    const flood = async (name: string) => post((await hostile(name)).url);
    const [phrase, extension] = await Promise.all([flood("endless reason phrase"), flood("endless chunk extension")]);
    expect(phrase).toMatchObject({ status: null, error: { word: "response_invalid", code: "ENDLESS" } });
    expect(extension).toMatchObject({ status: 200, error: null, note: expect.stringMatching(/longer than/) });
  });

  test("that redirects results in redirect_refused, and the redirect is not followed", async () => {
    const post = client();
    for (const name of Object.keys(HOSTILITIES).filter((one) => one.startsWith("a redirect"))) {
      const { url, seen } = await hostile(name);
      expect(await post(url), name).toMatchObject({ error: { word: "redirect_refused" } });
      expect(seen.requests).toBe(1);
    }
  });

  test("cannot make the client decompress its response", async () => {
    const { url } = await hostile("a gzip bomb");
    const { response } = await client()(url);
    expect(response?.body.subarray(0, 2)).toEqual(Buffer.from([0x1f, 0x8b]));
    expect(response!.bytes).toBeGreaterThan(response!.body.length);
  });

  test("has its response headers stored in their original order and spelling, including names such as __proto__", async () => {
    const { url } = await hostile("headers named after built-in object properties");
    const { response } = await client()(url);
    expect(response?.headers.map(([name]) => name)).toEqual(["__proto__", "constructor", "toString", "content-length"]);
  });
});

describe("a receiver that abuses keep-alive connections", () => {
  const OK = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n";
  const misbehave = async (onRequest: NonNullable<(typeof HOSTILITIES)[string]["onRequest"]>) => {
    const receiver = await startHostileReceiver("own", { onRequest, expect: 200 });
    endings.push(() => receiver.close());
    return receiver;
  };

  test("cannot inject a response for the next request", async () => {
    const { url } = await misbehave((socket, count) => {
      socket.write(count === 1 ? `${OK}ok${OK.replace("200", "299")}no` : `${OK}ok`);
    });
    const post = client();
    for (let request = 0; request < 5; request += 1) expect(await post(url)).toMatchObject({ status: 200 });
  });

  test("cannot have a late response matched to the next request", async () => {
    const { url } = await misbehave((socket, count) => {
      if (count > 1) return void socket.write(`${OK}ok`);
      setTimeout(() => socket.write(`${OK.replace("200", "299")}no`), DEADLINE_MS + 20);
    });
    const post = client(DEADLINE_MS);
    expect(await post(url)).toMatchObject({ error: { word: "timeout", code: "RESPONSE" } });
    for (let request = 0; request < 5; request += 1) expect(await post(url)).toMatchObject({ status: 200 });
  });

  test("by closing them while idle causes a new connection, not a failed delivery", async () => {
    const { url } = await misbehave((socket) => socket.end(`${OK}ok`));
    const post = client();
    for (let request = 0; request < 20; request += 1) {
      const { status, error, timings } = await post(url);
      // The receiver may close the connection while a request is in flight. This race is unavoidable, and the caller
      // retries immediately.
      if (status === null) expect([error?.word, timings.reused]).toEqual(["connection_reset", true]);
      else expect(status).toBe(200);
    }
  });
});

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/**
 * Returns the bytes still in use after a garbage collection, so that the result does not depend on when the last one
 * ran.
 */
async function heldBytes(): Promise<number> {
  for (let turn = 0; turn < 5; turn += 1) {
    await new Promise(setImmediate); // lets finalizers run, which release more memory
    collectGarbage();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

describe("many concurrent hostile receivers", () => {
  test("do not increase memory use or leave requests in flight", async () => {
    const policy = createAddressPolicy({ allowHttp: true, allowNetworks: ["loopback"] });
    const sender = createSafeClient({ policy, clock: systemClock, random: systemRandom, connect_ms: CONNECT_MS });
    const receivers = await Promise.all(Object.keys(HOSTILITIES).map(hostile));
    const round = () =>
      Promise.all(
        receivers.flatMap(({ url }) =>
          Array.from({ length: 4 }, () =>
            sender.send({ url, headers: {}, body: Buffer.from("{}"), deadline_ms: DEADLINE_MS }),
          ),
        ),
      );
    await round();
    const before = await heldBytes();
    for (let rounds = 0; rounds < 5; rounds += 1) await round();
    expect((await heldBytes()) - before).toBeLessThan(10_000_000);
    expect(sender.inFlight()).toBe(0);
    await sender.close();
  });
});
