/** Checks that a webhook's secrets and header values are visible only to its receiver and through the secret routes. */
import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectTo } from "../../server/src/store/db.ts";
import { type Receiver, startReceiver } from "../browser/receiver.ts";
import { databaseUrl, testConnection } from "../support/database.ts";
import { startServer, type TestServer } from "../support/server.ts";

const connection = await testConnection();
let server: TestServer;
let receiver: Receiver;
let key: string;
beforeAll(async () => {
  server = await startServer({
    DATABASE_URL: databaseUrl(connection),
    MAVE_SECRETS_KEY: randomBytes(32).toString("base64"),
    MAVE_RETRY_SCHEDULE: "0",
    LOG_LEVEL: "trace",
  });
  receiver = await startReceiver();
  key = await server.key();
});
afterAll(() => server.remove());

/** The values that must not leak, keyed by description. */
const secrets = new Map<string, string>();
const newSecret = (description: string, bytes = 24): string => {
  const secret = `whsec_${randomBytes(bytes).toString("base64")}`;
  secrets.set(description, secret);
  return secret;
};
const headers = { Authorization: `Bearer ${randomBytes(18).toString("hex")}`, "X-Tenant": "the tenant's pass phrase" };
for (const [name, value] of Object.entries(headers)) secrets.set(`the value of ${name}`, value);

/** Returns a secret with and without its prefix, in plain text and in common encodings. */
function formsOf(secret: string): string[] {
  const bare = secret.replace(/^(?:whsec_|Bearer )/, "");
  const forms = [secret, bare].flatMap((text) => {
    const bytes = Buffer.from(text);
    return [text, JSON.stringify(text).slice(1, -1), encodeURIComponent(text), ...encodings(bytes)];
  });
  return secret.startsWith("whsec_") ? [...forms, ...encodings(Buffer.from(bare, "base64"))] : forms;
}
const encodings = (bytes: Buffer): string[] =>
  (["hex", "base64", "base64url"] as const).map((encoding) => bytes.toString(encoding).replace(/=+$/, ""));

/** Returns the descriptions of all secrets found in a text, in any encoding and any case. */
const leaksIn = (text: string): string[] =>
  [...secrets].filter(([, secret]) => has(text.toLowerCase(), formsOf(secret))).map(([description]) => description);
const has = (lower: string, forms: string[]) => forms.some((form) => lower.includes(form.toLowerCase()));

/** Responses that must not contain a secret. */
const responses: [request: string, text: string][] = [];

async function ask(method: string, path: string, body?: unknown, more: Record<string, string> = {}) {
  const response = await fetch(`${server.url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key}`,
      ...(body !== undefined && { "content-type": "application/json" }),
      ...more,
    },
    body: body === undefined ? null : typeof body === "string" ? body : JSON.stringify(body),
  });
  const text = await response.text();
  return { status: response.status, text: `${text}\n${JSON.stringify([...response.headers])}`, json: JSON.parse(text) };
}
/** Like `ask`, but also records the response, which must not contain a secret. */
async function askRecorded(method: string, path: string, body?: unknown, more: Record<string, string> = {}) {
  const response = await ask(method, path, body, more);
  responses.push([`${method} ${path} ${response.status}`, response.text]);
  return response;
}

const deliveriesOf = async (status: string): Promise<{ id: string }[]> =>
  (await ask("GET", `/v1/deliveries?status=${status}`)).json.data;

const [first, second, stray] = [
  newSecret("the first secret"),
  newSecret("the second secret", 64),
  newSecret("a secret in a bad request"),
];
const events = ["video.created", "webhook.disabled", "webhook.failing", "webhook.test"];
const respondWith = (status: number) => {
  receiver.response = { status, body: `${status}`, headers: {} };
};

/**
 * Registers a webhook with the first secret and the custom headers, and a second webhook in the same space.
 * @returns both IDs
 */
async function register(): Promise<[watched: string, other: string]> {
  const watched = { url: receiver.url, events, headers, secret: first, description: "watched" };
  const made = await ask("POST", "/v1/webhooks", watched, { "idempotency-key": "one" });
  expect([made.status, made.json.secret]).toEqual([201, first]);
  const other = await ask("POST", "/v1/webhooks", { url: `${receiver.url}?other`, events });
  secrets.set("the other webhook's secret", other.json.secret);
  return [made.json.id, other.json.id];
}

/** Delivers events, lets some fail, resends one, rotates the secret, sends a test event and updates the webhook. */
async function useWebhook(id: string): Promise<void> {
  await askRecorded("POST", "/v1/videos", { name: "one" });
  await expect.poll(() => deliveriesOf("succeeded")).toHaveLength(2);
  expect(receiver.received.map((one) => one.headers.authorization)).toContain(headers.Authorization);
  respondWith(500);
  await askRecorded("POST", "/v1/videos", { name: "two" });
  await expect.poll(() => deliveriesOf("failed")).toHaveLength(2);
  respondWith(200);
  await askRecorded("POST", `/v1/deliveries/${(await deliveriesOf("failed"))[0]!.id}/attempts`);
  await expect.poll(() => deliveriesOf("failed")).toHaveLength(1);
  const rotation = { overlap_seconds: 3_600, secret: second };
  expect((await ask("POST", `/v1/webhooks/${id}/secret/rotations`, rotation)).json.secret).toBe(second);
  const both = { secret: second, previous_secret: first };
  expect((await ask("GET", `/v1/webhooks/${id}/secret`)).json).toMatchObject(both);
  await askRecorded("POST", `/v1/webhooks/${id}/tests`, { type: "webhook.test" });
  await expect.poll(() => receiver.received.map(({ event }) => event.type)).toContain("webhook.test");
  expect((await askRecorded("PATCH", `/v1/webhooks/${id}`, { headers, description: "changed" })).status).toBe(200);
}

/** Sends invalid requests that contain secrets, which must not appear in the errors. */
async function sendInvalidRequests(id: string): Promise<void> {
  const good = { url: receiver.url, events, headers, secret: stray };
  for (const [path, body] of [
    ["/v1/webhooks", { ...good, url: "nonsense" }],
    ["/v1/webhooks", { ...good, secret: `${stray}!` }],
    ["/v1/webhooks", { ...good, secret: `whsec_${stray}`, headers: { "X-Tenant": `${headers["X-Tenant"]}\n` } }],
    ["/v1/webhooks", { ...good, events: [stray] }],
    ["/v1/webhooks", { ...good, headers: stray }],
    ["/v1/webhooks", `{"secret":"${stray}`],
    [`/v1/webhooks/${id}/secret/rotations`, { overlap_seconds: stray, secret: stray }],
    [`/v1/webhooks/${id}/secret/rotations`, { overlap_seconds: 1e9, secret: stray }],
    [`/v1/webhooks/${id}/tests`, { type: stray }],
  ] as const)
    expect([400, 422], path).toContain((await askRecorded("POST", path, body)).status);
  const mismatch = await askRecorded("POST", "/v1/webhooks", good, { "idempotency-key": "one" });
  expect(mismatch.json.code).toBe("IDEMPOTENCY_MISMATCH");
  const unknown = { authorization: `Bearer ${stray}` };
  expect((await askRecorded("GET", `/v1/webhooks/${id}/secret`, undefined, unknown)).status).toBe(401);
  expect((await askRecorded("GET", `/v1/webhooks/${encodeURIComponent(stray)}`)).status).toBe(404);
  expect((await askRecorded("GET", `/v1/webhooks?after=${encodeURIComponent(stray)}`)).status).toBe(422);
}

/** Disables this webhook, so that the space's other webhook receives `webhook.disabled`. */
async function disable(id: string): Promise<void> {
  respondWith(410);
  await askRecorded("POST", `/v1/webhooks/${id}/tests`, { type: "webhook.test" });
  await expect.poll(async () => (await ask("GET", `/v1/webhooks/${id}`)).json.status).toBe("disabled");
  respondWith(200);
  await expect.poll(() => receiver.received.map(({ event }) => event.type)).toContain("webhook.disabled");
}

async function readEverything(id: string): Promise<void> {
  for (const list of ["webhooks", "deliveries", "events", "audit-log", "api-keys", "replays", "videos"])
    expect((await askRecorded("GET", `/v1/${list}?limit=100`)).status, list).toBe(200);
  for (const path of [`webhooks/${id}`, `webhooks/${id}/health`, "overview", "event-types", "space"])
    expect((await askRecorded("GET", `/v1/${path}`)).status, path).toBe(200);
  for (const list of ["deliveries", "events", "videos"])
    for (const { id } of (await ask("GET", `/v1/${list}?limit=100`)).json.data)
      expect((await askRecorded("GET", `/v1/${list}/${id}`)).status, list).toBe(200);
}

test("no log line, list, event, error or row contains a webhook's secrets or header values", async () => {
  const [id, other] = await register();
  await useWebhook(id);
  await sendInvalidRequests(id);
  await disable(id);
  await readEverything(id);
  await askRecorded("DELETE", `/v1/webhooks/${other}`);
  await server.stop();

  const leaks = responses
    .map(([request, text]) => [request, ...leaksIn(text)])
    .filter(([, ...seen]) => seen.length > 0);
  expect(leaks).toEqual([]);
  expect(receiver.received.flatMap(({ body }) => leaksIn(body))).toEqual([]);
  secrets.set("the API key", key);
  expect(server.output()).toContain('"msg":"Attempt ended"');
  expect(leaksIn(server.output())).toEqual([]);
  expect(leaksIn(await everyRow())).toEqual([]);
});

/** Returns all rows in the database as text. */
async function everyRow(): Promise<string> {
  const client = await connectTo(connection);
  try {
    const { rows } =
      await client.query(`select format('select t::text as row from %I.%I t', schemaname, tablename) as text
      from pg_tables where schemaname not in ('pg_catalog', 'information_schema')`);
    const texts: string[] = [];
    for (const { text } of rows) for (const { row } of (await client.query(text)).rows) texts.push(row);
    expect(texts.length).toBeGreaterThan(20);
    return texts.join("\n");
  } finally {
    await client.end();
  }
}
