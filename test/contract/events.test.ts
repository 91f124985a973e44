/**
 * What happens has many descriptions: the catalog, the API's schemas, the SDK's types, the docs. Here they agree.
 * The types are compared by the compiler (`npm run check`), the words by these tests.
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

test("the SDK knows exactly the catalog's types, each with the data that the catalog says", () => {
  expectTypeOf<sdk.EventType>().toEqualTypeOf<EventType>();
  expectTypeOf<{ [Type in EventType]: DataOf<Type> }>().toEqualTypeOf<Expected>();
});

test("the SDK's data are what the API answers with, field by field", () => {
  expectTypeOf<sdk.VideoData>().toEqualTypeOf<Video>();
  expectTypeOf<sdk.VideoData>().toEqualTypeOf<DomainVideo>();
  expectTypeOf<sdk.WebhookData>().toEqualTypeOf<Webhook>();
});

test("the five first fields of a video are there in every description, in their order", () => {
  expect(Object.keys(Video.properties).slice(0, 5)).toEqual(["id", "object", "created", "embed_url", "last_upload"]);
});

test("docs/events.md has one section for each type, with the catalog's own words", async () => {
  const page = await readFile(join(ROOT, "docs/events.md"), "utf8");
  const sections = [...page.matchAll(/^### `([a-z.]+)`\n\n(.+)\n/gm)].map(([, type, occurs]) => [type, occurs]);
  expect(sections).toEqual(Object.entries(EVENT_TYPES).map(([type, { occurs }]) => [type, occurs]));
});

test.each([
  ["video", Video],
  ["webhook", Webhook],
])("docs/events.md describes every field of a %s, and no other", async (name, schema) => {
  const page = await readFile(join(ROOT, "docs/events.md"), "utf8");
  const table = page.split(`## The ${name}\n`)[1]!.split("\n## ")[0]!;
  const fields = [...table.matchAll(/^\| `([a-z_]+)` \|/gm)].map(([, field]) => field);
  expect(fields).toEqual(Object.keys(schema.properties));
});
