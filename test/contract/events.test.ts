/**
 * Checks that the catalog, the API schemas, the SDK types and the docs describe events in the same way. The types are
 * compared at compile time (`npm run check`).
 */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type * as sdk from "@mave/webhooks";
import { expect, expectTypeOf, test } from "vitest";
import { Video } from "../../server/src/http/schemas/videos.ts";
import { Webhook } from "../../server/src/http/schemas/webhooks.ts";
import { EVENT_TYPES, type EventType } from "../../server/src/kernel/event-catalog.ts";
import type { Video as DomainVideo } from "../../server/src/videos/video.ts";
import { ROOT } from "../support/server.ts";

type DataOf<Type extends EventType> = Extract<sdk.MaveEvent, { type: Type }>["data"];
type AboutOf<Type extends EventType> = (typeof EVENT_TYPES)[Type]["about"];
type Expected = { [Type in EventType]: AboutOf<Type> extends "video" ? sdk.VideoData : sdk.WebhookData };

test("the SDK has the catalog's event types, with the same data", () => {
  expectTypeOf<sdk.EventType>().toEqualTypeOf<EventType>();
  expectTypeOf<{ [Type in EventType]: DataOf<Type> }>().toEqualTypeOf<Expected>();
});

test("the SDK's data types equal the API's data types", () => {
  expectTypeOf<sdk.VideoData>().toEqualTypeOf<Video>();
  expectTypeOf<sdk.VideoData>().toEqualTypeOf<DomainVideo>();
  expectTypeOf<sdk.WebhookData>().toEqualTypeOf<Webhook>();
});

test("the first five fields of a video keep their names and order", () => {
  expect(Object.keys(Video.properties).slice(0, 5)).toEqual(["id", "object", "created", "embed_url", "last_upload"]);
});

test("docs/events.md has a section for each type with the catalog's description", async () => {
  const page = await readFile(join(ROOT, "docs/events.md"), "utf8");
  const sections = [...page.matchAll(/^### `([a-z.]+)`\n\n(.+)\n/gm)].map(([, type, occurs]) => [type, occurs]);
  expect(sections).toEqual(Object.entries(EVENT_TYPES).map(([type, { occurs }]) => [type, occurs]));
});

test.each([
  ["video", Video],
  ["webhook", Webhook],
])("docs/events.md describes exactly the fields of a %s", async (name, schema) => {
  const page = await readFile(join(ROOT, "docs/events.md"), "utf8");
  const table = page.split(`## The ${name}\n`)[1]!.split("\n## ")[0]!;
  const fields = [...table.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, field]) => field);
  expect(fields).toEqual(Object.keys(schema.properties));
});
