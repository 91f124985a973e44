import { connect } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startServer, type TestServer } from "../support/server.ts";
import { ask, expectNoFault, expectRefusal, type Operation, operations, raw } from "./probe.ts";

let server: TestServer;
let key: string;
let all: Operation[];

beforeAll(async () => {
  server = await startServer();
  key = await server.key();
  all = await operations(server, () => "j3bw2jWb6q7aWGwChsgR86");
}, 60_000);
afterAll(() => server?.remove());

const authorized = () => ({ authorization: `Bearer ${key}` });
const get = (path: string, headers: Record<string, string> = authorized(), method = "GET") =>
  ask(`${server.url}${path}`, { method, headers });

describe("a URL", () => {
  const IDS = [
    "%00",
    "%",
    "%f",
    "%ff%fe",
    "..%2f..%2fetc%2fpasswd",
    "%2e%2e%2f",
    "a%0d%0ab",
    "'%20or%201=1--",
    "\u{1F3AC}".repeat(10),
    "x".repeat(3_000),
    "22222222222222222222222",
    "________________________",
    "__proto__",
    "constructor",
    "null",
    "-1",
    "00000000-0000-0000-0000-000000000000",
    "%E2%80%AE",
    "zzzzzzzzzzzzzzzzzzzzzz",
  ];

  test("with a malformed id is rejected by every operation, like one with an unknown id", async () => {
    const withIds = all.filter(({ path }) => path.includes("j3bw2jWb6q7aWGwChsgR86"));
    expect(withIds.length).toBeGreaterThan(10);
    for (const { method, path } of withIds) {
      if (path.startsWith("/v1/uploads")) continue;
      for (const id of IDS) {
        const response = await get(path.replace("j3bw2jWb6q7aWGwChsgR86", id), authorized(), method);
        expectRefusal(response, `${method} ${path} with ${id.slice(0, 40)}`);
      }
    }
  }, 60_000);

  test("with an invalid query parameter never causes a server error", async () => {
    const VALUES = [
      "",
      "abc",
      "-1",
      "0",
      "1e9",
      "99999999999999999999",
      "1.5",
      "NaN",
      "%00",
      "%ff",
      "';--",
      "[]",
      "{}",
      "null",
      "x".repeat(5_000),
      "a%0ab",
      "2026-99-99",
    ];
    for (const { path, query } of all.filter(({ method, query }) => method === "GET" && query.length > 0)) {
      if (path.endsWith("/stream")) continue;
      for (const name of query) {
        for (const value of VALUES)
          expectNoFault(await get(`${path}?${name}=${value}`), `${path}?${name}=${value.slice(0, 40)}`);
        expectNoFault(await get(`${path}?${name}=a&${name}=b`), `${path}?${name} twice`);
        expectNoFault(await get(`${path}?${name}[a]=b&__proto__[a]=b`), `${path}?${name}[a]`);
      }
    }
  }, 60_000);

  test("that matches no route is rejected", async () => {
    for (const path of [
      "/v1",
      "/v1/",
      "/v1/nothing",
      "/v1/videos/a/b/c",
      "/v2/videos",
      "/v1//videos",
      "/v1/videos/../../etc/passwd",
      "/.env",
      "/.git/config",
      "/media/../../etc/passwd",
      "/media/%2e%2e/%2e%2e/etc/passwd",
      "/dashboard/%2e%2e/%2e%2e/package.json",
      "/%00",
      `/${"a".repeat(15_000)}`,
    ]) {
      const response = await get(path);
      expectNoFault(response, path.slice(0, 60));
      expect(response.status, path.slice(0, 60)).toBeGreaterThanOrEqual(400);
    }
  });

  test("requested with an unsupported method is rejected", async () => {
    for (const method of ["DELETE", "PATCH", "PUT", "OPTIONS"])
      expectRefusal(await get("/v1/events", authorized(), method), method);
  });
});

describe("a request with", () => {
  test.each([
    ["no key", {}],
    ["an empty key", { authorization: "Bearer " }],
    ["another scheme", { authorization: "Basic bWF2ZTptYXZl" }],
    ["an invalid key", { authorization: "Bearer mave_nothing" }],
    ["a very long key", { authorization: `Bearer mave_${"x".repeat(10_000)}` }],
    ["SQL as a key", { authorization: "Bearer ' or 1=1 --" }],
    ["an invalid cookie", { cookie: `better-auth.session_token=${"x".repeat(3_000)}` }],
    ["two schemes", { authorization: "Bearer Bearer mave_x" }],
  ])("%s is unauthorized", async (_name, headers: Record<string, string>) => {
    const response = await get("/v1/videos", headers);
    expectRefusal(response, "GET /v1/videos");
    expect(response.status).toBe(401);
  });

  test("an invalid Idempotency-Key is rejected", async () => {
    for (const value of ["x".repeat(256), "a b", "a\tb", "\u00e4"]) {
      const headers = { ...authorized(), "content-type": "application/json", "idempotency-key": value };
      expectRefusal(await ask(`${server.url}/v1/videos`, { method: "POST", headers, body: "{}" }), value.slice(0, 20));
    }
  });

  test("invalid header values never causes a server error", async () => {
    const HEADERS: [string, string][] = [
      ["range", "bytes=-1-99999999999999999999"],
      ["if-none-match", '"'.repeat(5_000)],
      ["if-modified-since", "yesterday"],
      ["accept", "x/".repeat(2_000)],
      ["accept-encoding", "gzip;q=9999"],
      ["x-forwarded-for", "'; drop table videos"],
      ["x-forwarded-host", "evil.example"],
      ["x-forwarded-proto", "javascript"],
      ["forwarded", 'for="_x";;;'],
      ["origin", "null"],
      ["referer", "\\\\evil"],
      ["cookie", "a=b; ".repeat(500)],
      ["last-event-id", "' or 1=1"],
      ["content-type", "application/json; charset=utf-7"],
      ["expect", "200-maybe"],
      ["x-request-id", "$\u007bjndi:ldap://x}"],
    ];
    for (const [name, value] of HEADERS) {
      for (const path of ["/v1/videos", "/v1/events", "/", "/docs", "/readyz", "/dashboard/", "/oembed?url=x"])
        expectNoFault(
          await raw(
            server.url,
            `GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\n${name}: ${value}\r\nConnection: close\r\n\r\n`,
            { silent_ms: 5_000 },
          ),
          `${path} with ${name}`,
        );
    }
  }, 60_000);
});

describe("a raw HTTP request", () => {
  const HOST = "Host: localhost\r\n";
  const head = (lines: string) =>
    `POST /v1/videos HTTP/1.1\r\n${HOST}Authorization: Bearer KEY\r\nContent-Type: application/json\r\n${lines}\r\n`;
  const REFUSED: Record<string, string> = {
    "text that is not HTTP": "hello\r\n\r\n",
    "the HTTP/2 preface": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "an unknown HTTP version": `GET / HTTP/9.9\r\n${HOST}\r\n`,
    "no Host header": "GET /v1/videos HTTP/1.1\r\n\r\n",
    "two Host headers": `GET /v1/videos HTTP/1.1\r\n${HOST}Host: evil.example\r\n\r\n`,
    "a target with a foreign host": `GET http://evil.example/v1/videos HTTP/1.1\r\n${HOST}\r\n`,
    "a foreign Host header": "GET /v1/videos HTTP/1.1\r\nHost: evil.example\r\n\r\n",
    "an invalid Host header": "GET /v1/videos HTTP/1.1\r\nHost: a b/c@d\r\n\r\n",
    "a header without a colon": `GET /v1/videos HTTP/1.1\r\n${HOST}nothing\r\n\r\n`,
    "a NUL in a header": `GET /v1/videos HTTP/1.1\r\n${HOST}x: a\0b\r\n\r\n`,
    "a header over the size limit": `GET /v1/videos HTTP/1.1\r\n${HOST}x: ${"y".repeat(20_000)}\r\n\r\n`,
    "ten thousand headers": `GET /v1/videos HTTP/1.1\r\n${HOST}${"a: b\r\n".repeat(10_000)}\r\n`,
    "a Content-Length that is not a number": head("Content-Length: ten\r\n"),
    "a negative Content-Length": head("Content-Length: -5\r\n"),
    "two Content-Length headers": head("Content-Length: 2\r\nContent-Length: 3\r\n"),
    "both a Content-Length and chunks": `${head("Content-Length: 2\r\nTransfer-Encoding: chunked\r\n")}0\r\n\r\n`,
    "a chunk size that is not a number": `${head("Transfer-Encoding: chunked\r\n")}zz\r\n{}\r\n0\r\n\r\n`,
    "an unknown Transfer-Encoding": head("Transfer-Encoding: gzip\r\n"),
    "an unknown method": `BREW /v1/videos HTTP/1.1\r\n${HOST}\r\n`,
    "a space in the URL": `GET /v1/vi deos HTTP/1.1\r\n${HOST}\r\n`,
    "a TLS handshake": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
  };

  test.each(Object.keys(REFUSED))("with %s is rejected", async (name) => {
    const response = await raw(server.url, Buffer.from(REFUSED[name]!.replace("KEY", key), "latin1"));
    expectRefusal(response, name);
  });

  test("that is unusual but valid gets a response", async () => {
    for (const request of [
      `GET http://localhost/v1/videos HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
      `OPTIONS * HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
      `GET /v1/videos HTTP/1.1\r\n${HOST}Connection: upgrade\r\nUpgrade: websocket\r\n\r\n`,
      `GET /v1/videos HTTP/1.1\r\n${HOST}Connection: upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: \r\n\r\n`,
      `CONNECT evil.example:443 HTTP/1.1\r\n${HOST}\r\n`,
      `TRACE /v1/videos HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
      `GET /v1/videos HTTP/1.0\r\n${HOST}\r\n`,
      `HEAD /v1/videos HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`,
    ]) {
      const response = await raw(server.url, request);
      // In response to CONNECT, the server just closes the connection.
      expect(`${request.split("\r\n", 1)[0]}: ${response.status}`).toMatch(/: (?:0|[2-4]\d\d)$/);
    }
  });

  test("hidden in the body of a rejected request is not executed", async () => {
    const smuggled = `DELETE /v1/videos/AAAAAAAAAA HTTP/1.1\r\n${HOST}Authorization: Bearer ${key}\r\n\r\n`;
    const lines = `Content-Length: ${400_000}\r\n`;
    const response = await raw(server.url, head(lines).replace("KEY", key) + smuggled);
    expect(response.status).toBe(413);
    expect(response.body).not.toMatch(/HTTP\/1\.1/);
  });

  test("whose headers or body arrive too slowly times out", { timeout: 60_000 }, async () => {
    const begin = `POST /v1/videos HTTP/1.1\r\n${HOST}Authorization: Bearer ${key}\r\nContent-Type: application/json\r\n`;
    const [body, headers] = await Promise.all([
      dripped(`${begin}Content-Length: 100000\r\n\r\n{"name":"`),
      dripped(`${begin}x: `),
    ]);
    for (const text of [body, headers]) expect(text).toMatch(/^HTTP\/1\.1 408 .+REQUEST_TIMEOUT/s);
  });

  test("still gets a response while a thousand idle connections are open", async () => {
    const idle = await Promise.all(
      Array.from(
        { length: 1_000 },
        () =>
          new Promise<ReturnType<typeof connect>>((resolve) => {
            const socket = connect(Number(new URL(server.url).port), "127.0.0.1", () => resolve(socket));
            socket.on("error", () => {});
          }),
      ),
    );
    expect((await get("/v1/videos")).status).toBe(200);
    for (const socket of idle) socket.destroy();
  });

  test("leaves the server running and causes no internal errors", async () => {
    expect((await get("/healthz")).status).toBe(200);
    expect(server.output()).not.toMatch(/request failed|INTERNAL|unhandled|uncaught/i);
  });
});

/** Sends a character every 200 ms until the server closes the connection. @returns the response */
function dripped(begin: string): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    const socket = connect(Number(new URL(server.url).port), "127.0.0.1", () => socket.write(begin));
    const timer = setInterval(() => socket.write("a"), 200);
    socket.on("data", (part) => (text += part));
    socket.on("error", () => {});
    socket.on("close", () => {
      clearInterval(timer);
      resolve(text);
    });
  });
}
