import { expect, test } from "vitest";
import { testApi } from "../support/api.ts";
import { testDatabase } from "../support/database.ts";
import { eventually } from "../support/eventually.ts";

const api = await testApi(await testDatabase());

type Route = (typeof api.app.routeList)[number];
type Method = "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
type Operation = { operationId: string; security: object[]; responses: Record<string, unknown> };

/** The public routes: pages, media and the API documentation. */
const PUBLIC = /^\/(?:$|dashboard|docs|embed|oembed|media|:id|v1\/openapi\.json)/;

const all = api.app.routeList.filter(
  ({ method, url }) => method !== "HEAD" && method !== "OPTIONS" && !PUBLIC.test(url),
);
const document = api.app.swagger() as unknown as { paths: Record<string, Record<string, Operation>> };
const operationOf = ({ method, url }: Route) => document.paths[url.replace(/:(\w+)/g, "{$1}")]?.[method.toLowerCase()];

const name = ({ method, url }: Route) => `${method} ${url}`;
const named = (wanted: (route: Route) => boolean) => all.filter(wanted).map((route) => [name(route), route] as const);
const ask = (route: Route, path: string, body?: unknown, headers?: Record<string, string>) =>
  api.ask(route.method as Method, path, body, headers);

/** Replaces `:id` with a well-formed but unknown ID. */
const unknown = (path: string) =>
  path.replace(":id", path.includes("/videos") ? "zzzzzzzzzz" : "2222222222222222222223");

test("the list of routes is complete", () => {
  expect(all.length).toBeGreaterThan(40);
});

test.each(named(() => true))("%s is in the OpenAPI document", (_, route) => {
  const operation = operationOf(route);
  expect(operation?.operationId).toMatch(/^[a-z][A-Za-z]+$/);
  expect(operation!.security).toHaveLength({ anyone: 0, read: 2, write: 2, person: 1, owner: 1 }[route.access]);
  expect(Object.keys(operation!.responses)).toEqual(expect.arrayContaining(["4XX", "5XX"]));
});

test("the OpenAPI document has a unique ID for each operation and no operation without a route", () => {
  const operations = Object.values(document.paths).flatMap((path) => Object.values(path));
  expect(new Set(operations.map(({ operationId }) => operationId)).size).toBe(operations.length);
  expect(operations.length).toBe(all.length);
});

const guarded = named(({ access }) => access !== "anyone");

test.each(guarded)("%s rejects a request without a key", async (_, route) => {
  const { status, json } = await ask(route, unknown(route.url), undefined, { authorization: "" });
  expect([status, json.code]).toEqual([401, "KEY_MISSING"]);
});

test.each(guarded)("%s rejects an unknown key", async (_, route) => {
  const authorization = `Bearer mave_${"x".repeat(43)}`;
  const { status, json } = await ask(route, unknown(route.url), undefined, { authorization });
  expect([status, json.code]).toEqual([401, "KEY_INVALID"]);
});

test.each(named(({ access }) => access === "write"))("%s rejects a read-only key", async (_, route) => {
  const { status, json } = await ask(route, unknown(route.url), undefined, {
    authorization: `Bearer ${api.keys.read}`,
  });
  expect([status, json.code]).toEqual([403, "SCOPE_INSUFFICIENT"]);
});

test.each(named(({ access }) => access === "person" || access === "owner"))("%s rejects API keys", async (_, route) => {
  const { status, json } = await ask(route, unknown(route.url));
  expect([status, json.code]).toEqual([403, "PERSON_NEEDED"]);
});

test.each(named(({ url, access }) => url.includes(":id") && access !== "owner"))(
  "%s returns the same bytes for another space's id as for an unknown id",
  async (_, route) => {
    const kind = route.url.split("/")[2] as Kind;
    const body = BODIES[name(route)];
    const theirs = await ask(route, route.url.replace(":id", (await otherSpace())[kind]), body);
    const unknownOnes = await ask(route, unknown(route.url), body);
    const plain = (text: string) => text.replace(/"request":"[^"]+"/, "");
    expect([theirs.status, theirs.json.code]).toEqual([404, "NOT_FOUND"]);
    expect(plain(theirs.text)).toBe(plain(unknownOnes.text));
  },
);

test("another space's objects still exist after every route is called with their IDs", async () => {
  const { key, ...ids } = await otherSpace();
  for (const kind of ["videos", "webhooks", "events", "deliveries", "replays"] as const) {
    const { status, json } = await api.ask("GET", `/v1/${kind}/${ids[kind]}`, undefined, { authorization: key });
    expect([status, json.id]).toEqual([200, ids[kind]]);
  }
});

/** Valid bodies, so that only the ID is invalid. */
const BODIES: Record<string, object | string> = {
  "PUT /v1/videos/:id/file": "a file",
  "PATCH /v1/videos/:id": { name: "x" },
  "PATCH /v1/webhooks/:id": { description: "x" },
  "PATCH /v1/replays/:id": { status: "paused" },
};

type Kind = "videos" | "webhooks" | "events" | "deliveries" | "replays" | "api-keys" | "key";
let created: Promise<Record<Kind, string>> | undefined;

/** Creates one object of each kind in another space. */
function otherSpace() {
  created ??= (async () => {
    const authorization = `Bearer ${await api.key("write", await api.newSpace())}`;
    const make = async (path: string, body: object) => {
      const { status, json } = await api.ask("POST", path, body, { authorization });
      expect(status).toBeLessThan(300);
      return json.id as string;
    };
    const webhooks = await make("/v1/webhooks", { url: "https://example.com/a", events: ["video.created"] });
    const videos = await make("/v1/videos", { name: "theirs" });
    // An event is listed only after all older transactions on the database server, even those of other tests, have
    // ended.
    const get = (path: string) =>
      eventually(async () => (await api.ask("GET", path, undefined, { authorization })).json.data[0].id as string);
    const replay = { webhook: webhooks, since: 0, until: 2_000_000_000 };
    return {
      key: authorization,
      videos,
      webhooks,
      events: await eventually(() => get("/v1/events?order=desc")),
      deliveries: await get("/v1/deliveries"),
      replays: await make("/v1/replays", replay),
      "api-keys": await make("/v1/api-keys", { name: "theirs" }),
    };
  })();
  return created;
}
