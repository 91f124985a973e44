import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import express from "express";
import Fastify from "fastify";
import { type Context, Hono } from "hono";
import { afterEach, describe, expect, test, vi } from "vitest";
import { webhook as forExpress } from "../src/express.ts";
import { webhook as forFastify } from "../src/fastify.ts";
import { webhook as forFetch } from "../src/fetch.ts";
import { webhook as forHono } from "../src/hono.ts";
import { sign } from "../src/index.ts";
import type { OnEvent, ReceiverOptions } from "../src/receive.ts";

const secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
const event = { id: "j3bw2jWb6q7aWGwChsgR86", object: "event", type: "video.created", data: { name: "Zürich 🎬" } };
const body = JSON.stringify(event);
const more = { "content-type": "application/json", "mave-delivery": "d1", "mave-attempt": "2", "mave-sequence": "7" };

type Refusal = { code: string };

const closing: (() => unknown)[] = [];
afterEach(() => Promise.all(closing.splice(0).map((close) => close())));

/** Serves requests on a separate port until the test ends. */
async function listen(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  closing.push(() => server.closeAllConnections() ?? server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`;
}

/** Serves a Fetch API handler over a real socket, as Next.js, Deno and Bun do. */
const listenFetch = (handler: (request: Request) => Promise<Response>) =>
  listen(async (req, res) => {
    const incoming = new Request(`http://127.0.0.1${req.url}`, {
      method: "POST",
      headers: req.headers as Record<string, string>,
      body: Readable.toWeb(req) as ReadableStream,
      duplex: "half",
    } as RequestInit);
    const response = await handler(incoming).catch(() => new Response(null, { status: 500 }));
    res.writeHead(response.status, Object.fromEntries(response.headers)).end(await response.text());
  });

type Serve = (onEvent: OnEvent, options?: ReceiverOptions) => Promise<string>;
const servers: Record<string, Serve> = {
  express: (onEvent, options) => {
    const app = express();
    app.post("/webhooks", forExpress(secret, onEvent, options));
    app.use(express.json()); // for other routes, so registered after the webhook
    app.use(((_error, _req, res, _next) => void res.sendStatus(500)) as express.ErrorRequestHandler);
    return listen(app);
  },
  "node:http": (onEvent, options) => listen(forExpress(secret, onEvent, options)),
  fastify: async (onEvent, options) => {
    const app = Fastify();
    await app.register(forFastify, { path: "/webhooks", secret, onEvent, ...options });
    app.post("/other", async (request) => request.body);
    closing.push(() => app.close());
    return `${await app.listen({ port: 0 })}/webhooks`;
  },
  hono: (onEvent, options) => {
    const app = new Hono().post("/webhooks", forHono(secret, onEvent, options));
    app.onError((_error, c) => c.body(null, 500));
    return listenFetch(async (incoming) => app.fetch(incoming));
  },
  fetch: (onEvent, options) => listenFetch(forFetch(secret, onEvent, options)),
};

const post = async (url: string, text: string, headers?: Record<string, string>) =>
  fetch(url, { method: "POST", body: text, headers: { ...more, ...(headers ?? (await sign(text, secret))) } });

describe.each(Object.entries(servers))("the adapter for %s", (name, serve) => {
  test("passes the event and its delivery to the handler and responds with 204", async () => {
    const onEvent = vi.fn();
    const response = await post(await serve(onEvent), body);
    expect([response.status, await response.text()]).toEqual([204, ""]);
    expect(onEvent).toHaveBeenCalledExactlyOnceWith(event, { id: "d1", attempt: 2, sequence: 7, previous: null });
  });

  test("rejects an invalid signature with a reason and calls onRefused", async () => {
    const [onEvent, onRefused] = [vi.fn(), vi.fn()];
    const response = await post(await serve(onEvent, { onRefused }), body, await sign(body, "whsec_another"));
    expect(response.status).toBe(401);
    expect(await response.json()).toMatchObject({ code: "SIGNATURE_MISMATCH", message: expect.any(String) });
    expect(onRefused).toHaveBeenCalledExactlyOnceWith(expect.objectContaining({ code: "SIGNATURE_MISMATCH" }));
    expect(onEvent).not.toHaveBeenCalled();
  });

  test("rejects a body that exceeds the size limit", async () => {
    const onEvent = vi.fn();
    const large = JSON.stringify({ ...event, data: "x".repeat(300_000) });
    const response = await post(await serve(onEvent, { maxBytes: 100_000 }), large);
    expect(response.status).toBe(413);
    expect(onEvent).not.toHaveBeenCalled();
  });

  test("accepts a body of exactly the size limit", async () => {
    const response = await post(await serve(vi.fn(), { maxBytes: Buffer.byteLength(body) }), body);
    expect(response.status).toBe(204);
  });

  test("responds with 500 if the handler throws, so that Mave retries", async () => {
    const logged = vi.spyOn(console, "error").mockReturnValue();
    const response = await post(await serve(() => Promise.reject(new Error("database down"))), body);
    expect(response.status).toBe(500);
    expect(await response.text()).not.toContain("204");
    expect(logged.mock.calls.length).toBe(name === "node:http" ? 1 : 0);
    logged.mockRestore();
  });

  test("waits for the handler to finish before responding", async () => {
    let done = false;
    const url = await serve(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      done = true;
    });
    await post(url, body);
    expect(done).toBe(true);
  });

  test("rejects an empty body with a reason", async () => {
    const response = await post(await serve(vi.fn()), "", { "mave-signature": "t=1, v1=00" });
    expect(await response.json()).toMatchObject({ code: "BODY_EMPTY" });
  });
});

describe("a request body on a server with other body parsers", () => {
  test("is rejected by the Express adapter as BODY_PARSED if a JSON parser has read it", async () => {
    const app = express();
    app.use(express.json());
    app.post("/webhooks", forExpress(secret, vi.fn()));
    const response = await post(await listen(app), body);
    expect([response.status, ((await response.json()) as Refusal).code]).toEqual([500, "BODY_PARSED"]);
  });

  test("is verified by the Express adapter if express.raw or rawBody kept its bytes", async () => {
    const raw = express();
    raw.post("/webhooks", express.raw({ type: "*/*" }), forExpress(secret, vi.fn()));
    expect((await post(await listen(raw), body)).status).toBe(204);

    const kept = express();
    kept.use(express.json({ verify: (req, _res, bytes) => void Object.assign(req, { rawBody: bytes }) }));
    kept.post("/webhooks", forExpress(secret, vi.fn()));
    expect((await post(await listen(kept), body)).status).toBe(204);
  });

  test("is verified by the Express adapter if the other parser ignores its content type", async () => {
    const app = express();
    app.use(express.urlencoded());
    app.post("/webhooks", forExpress(secret, vi.fn()));
    expect((await post(await listen(app), body)).status).toBe(204);
  });

  test("is still parsed as JSON on other Fastify routes", async () => {
    const url = await servers.fastify!(vi.fn());
    const other = await fetch(url.replace("/webhooks", "/other"), { method: "POST", body, headers: more });
    expect(await other.json()).toEqual(event);
  });

  test("is verified by the Hono adapter only if no middleware has read it from the raw request", async () => {
    const readers: [(c: Context) => Promise<unknown>, number][] = [
      [(c) => c.req.text(), 204],
      [(c) => c.req.arrayBuffer(), 204],
      [(c) => c.req.json(), 204], // Hono caches the text that it parsed
      [(c) => c.req.raw.json(), 500],
    ];
    for (const [read, status] of readers) {
      const app = new Hono();
      app.use(async (c, next) => {
        await read(c);
        await next();
      });
      app.post("/webhooks", forHono(secret, vi.fn()));
      const response = await app.request("/webhooks", { method: "POST", body, headers: await sign(body, secret) });
      expect(response.status).toBe(status);
    }
  });

  test("is rejected by the fetch adapter as BODY_PARSED if it has already been read", async () => {
    const request = new Request("http://a/", { method: "POST", body, headers: await sign(body, secret) });
    await request.json();
    expect(await (await forFetch(secret, vi.fn())(request)).json()).toMatchObject({ code: "BODY_PARSED" });
  });
});

test("without a secret, the Express and Fastify adapters fail at startup, and the fetch adapter on each request", async () => {
  const missing = undefined as unknown as string;
  expect(() => forExpress(missing, vi.fn())).toThrow(/environment variable/);
  const app = Fastify();
  app.register(forFastify, { path: "/", secret: missing, onEvent: vi.fn() });
  await expect(app.ready()).rejects.toThrow(/environment variable/);
  const response = await forFetch(missing, vi.fn())(new Request("http://a/", { method: "POST", body }));
  expect([response.status, ((await response.json()) as Refusal).code]).toEqual([500, "SECRET_MISSING"]);
});
