import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { openApiDocument } from "../../server/src/http/print-openapi.ts";
import { ERRORS } from "../../server/src/kernel/errors.ts";
import { EVENT_TYPES } from "../../server/src/kernel/event-catalog.ts";
import { ROOT } from "../support/server.ts";

interface Document {
  openapi: string;
  paths: Record<string, Record<string, { parameters?: { name: string }[] }>>;
  webhooks: Record<string, { post: { requestBody: { content: { "application/json": { schema: BodySchema } } } } }>;
  components: { schemas: Record<string, unknown> };
}
interface BodySchema {
  properties: { type: { enum: string[] }; data: { $ref: string } };
}
const document = (await openApiDocument("https://videos.example.org")) as Document;

test("the document is valid OpenAPI 3.1, as linted by Redocly", { timeout: 60_000 }, async () => {
  expect(document.openapi).toBe("3.1.0");
  const folder = await mkdtemp(join(tmpdir(), "mave-openapi-"));
  const file = join(folder, "openapi.json");
  await writeFile(file, JSON.stringify(document));
  const redocly = join(ROOT, "node_modules/.bin/redocly");
  const env = { ...process.env, REDOCLY_TELEMETRY: "off", REDOCLY_SUPPRESS_UPDATE_NOTICE: "true" };
  const { stdout, stderr } = await promisify(execFile)(redocly, ["lint", file, "--format=json"], { cwd: folder, env });
  await rm(folder, { recursive: true });
  expect(JSON.parse(stdout).problems, stderr).toEqual([]);
});

test("every reference resolves to a component, and every component is referenced", () => {
  const text = JSON.stringify(document);
  const used = new Set([...text.matchAll(/"#\/components\/schemas\/([^"]+)"/g)].map(([, name]) => name));
  expect([...used].sort()).toEqual(Object.keys(document.components.schemas).sort());
});

test("the document describes one webhook for each event type in the catalog, with the schema for its data", () => {
  expect(Object.keys(document.webhooks)).toEqual(Object.keys(EVENT_TYPES));
  for (const [type, { about }] of Object.entries(EVENT_TYPES)) {
    const { schema } = document.webhooks[type]!.post.requestBody.content["application/json"];
    expect(schema.properties.type.enum).toEqual([type]);
    expect(schema.properties.data.$ref).toBe(`#/components/schemas/${about === "video" ? "Video" : "Webhook"}`);
  }
});

test("exactly the listed routes document the Idempotency-Key header", () => {
  const calls = Object.entries(document.paths).flatMap(([path, operations]) =>
    Object.entries(operations)
      .filter(([, { parameters = [] }]) => parameters.some(({ name }) => name === "Idempotency-Key"))
      .map(([method]) => `${method} ${path}`),
  );
  expect(calls.sort()).toEqual([
    "post /v1/api-keys",
    "post /v1/cancellations",
    "post /v1/deliveries/{id}/attempts",
    "post /v1/replays",
    "post /v1/videos",
    "post /v1/videos/{id}/erasures",
    "post /v1/videos/{id}/upload-tokens",
    "post /v1/webhooks",
    "post /v1/webhooks/{id}/retries",
    "post /v1/webhooks/{id}/secret/rotations",
    "post /v1/webhooks/{id}/tests",
  ]);
});

test("every error has an uppercase code, an error status, a title, and a sentence as its detail", () => {
  for (const [code, [status, title, detail]] of Object.entries(ERRORS)) {
    expect(code).toMatch(/^[A-Z]+(?:_[A-Z]+)*$/);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(title).toMatch(/^[A-Z].*[^.]$/);
    expect(detail).toMatch(/^[A-Z].*\.$/);
  }
});
