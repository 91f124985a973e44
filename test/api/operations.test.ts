import { networkInterfaces } from "node:os";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { testApi } from "../support/api.ts";
import { testDatabase } from "../support/database.ts";
import { freePort, startServer, type TestServer } from "../support/server.ts";

const api = await testApi(await testDatabase());

test("/healthz and /readyz need no authentication", async () => {
  for (const path of ["/healthz", "/readyz"]) {
    const { status, json } = await api.ask("GET", path, undefined, { authorization: "" });
    expect([status, json.status]).toEqual([200, "ok"]);
  }
});

test("/readyz returns 503 and names a task that has not ended in time", async () => {
  const ended = api.watchdog.expect("settle", -1);
  const { status, json } = await api.ask("GET", "/readyz", undefined, { authorization: "" });
  expect([status, json.code, json.detail]).toEqual([503, "TASK_LATE", expect.stringContaining("in time: settle.")]);
  ended();
  expect((await api.ask("GET", "/readyz")).status).toBe(200);
});

test("every response has a request ID, and an error's body repeats it", async () => {
  const { headers, json } = await api.ask("GET", "/v1/videos/nothing000");
  expect(headers.get("x-request-id")).toMatch(/^[\w-]+$/);
  expect(json.request).toBe(headers.get("x-request-id"));
  expect(headers.get("content-type")).toMatch(/^application\/problem\+json/);
});

test("an unknown path returns 404, and an unsupported method on a known path returns 405", async () => {
  expect((await api.ask("GET", "/v1/nothing")).json.code).toBe("ROUTE_UNKNOWN");
  const { status, json, headers } = await api.ask("DELETE", "/v1/videos");
  expect([status, json.code]).toEqual([405, "METHOD_UNKNOWN"]);
  expect(headers.get("allow")).toMatch(/GET.*POST|POST.*GET/);
});

test("metrics are not available without a token, not even from localhost, where a proxy may run", async () => {
  const { status, json } = await api.ask("GET", "/metrics", undefined, { authorization: "" });
  expect([status, json.code]).toEqual([401, "KEY_MISSING"]);
});

/** An address of this machine that other machines can reach. */
const outside = Object.values(networkInterfaces())
  .flat()
  .find((each) => each?.family === "IPv4" && !each.internal)?.address;

test("behind one proxy, a caller has the address that the proxy added, not one that it sent itself", async () => {
  const server = await startServer({ MAVE_TRUST_PROXY: "on" });
  onTestFinished(() => server.remove());
  const authorization = `Bearer ${await server.key()}`;
  const headers = { authorization, "content-type": "application/json", "x-forwarded-for": "192.0.2.66, 198.51.100.7" };
  await fetch(`${server.url}/v1/api-keys`, { method: "POST", headers, body: JSON.stringify({ name: "new" }) });
  const log = await fetch(`${server.url}/v1/audit-log?limit=1`, { headers: { authorization } });
  expect(await log.json()).toMatchObject({ data: [{ action: "api_key.created", address: "198.51.100.7" }] });
}, 60_000);

describe("a server that has a metrics token and listens on all addresses", () => {
  const token = "a-token-of-thirty-two-characters";
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer({ MAVE_METRICS_TOKEN: token, HOST: "0.0.0.0" });
  }, 60_000);
  afterAll(() => server?.remove());

  test("returns its metrics only with the token", async () => {
    const ask = (authorization?: string) =>
      fetch(`${server.url}/metrics`, { headers: authorization ? { authorization } : {} });
    expect((await ask()).status).toBe(401);
    expect((await ask(`Bearer ${token}x`)).status).toBe(401);
    const shown = await ask(`Bearer ${token}`);
    expect(shown.status).toBe(200);
    expect(await shown.text()).toContain('mave_role{role="deliver"} 1');
  });

  test.skipIf(!outside)("rejects unknown hosts with 421 and names the setting to change", async () => {
    const port = new URL(server.url).port;
    const response = await fetch(`http://${outside}:${port}/v1/videos`);
    const problem = (await response.json()) as { code: string; detail: string };
    expect([response.status, problem.code]).toEqual([421, "HOST_UNKNOWN"]);
    expect(problem.detail).toContain("MAVE_PUBLIC_URL");
  });
});

test("a node without the api role serves only the routes for operators", { timeout: 60_000 }, async () => {
  const port = await freePort();
  const server = await startServer({ MAVE_ROLES: "deliver,process", MAVE_METRICS_PORT: String(port) });
  try {
    expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
    expect((await fetch(`${server.url}/metrics`)).status).toBe(401);
    const metrics = await fetch(`http://127.0.0.1:${port}/metrics`);
    expect([metrics.status, metrics.headers.get("content-type")]).toEqual([200, expect.stringMatching(/^text\/plain/)]);
    const text = await metrics.text();
    expect(text).toMatch(/mave_pending_deliveries\{state="due"\} \d+/);
    expect(text).toMatch(/mave_http_request_duration_seconds_count/);
    expect((await fetch(`http://127.0.0.1:${port}/v1/videos`)).status).toBe(404);
    if (outside) await expect(fetch(`http://${outside}:${port}/metrics`)).rejects.toThrow();
    expect((await fetch(`${server.url}/v1/videos`)).status).toBe(404);
  } finally {
    await server.remove();
  }
});
