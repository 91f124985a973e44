/**
 * Tests the SDK's inbox with a real server. The inbox must fetch the events whose deliveries failed permanently, and
 * handle them in order.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { webhook } from "@mave/webhooks/express";
import { createInbox, eventsFrom, type Gap, memoryStore } from "@mave/webhooks/order";
import { afterAll, expect, test } from "vitest";
import { eventually } from "../support/eventually.ts";
import { startServer } from "../support/server.ts";

const server = await startServer({ MAVE_RETRY_SCHEDULE: "0" }); // two attempts with no delay between them
afterAll(() => server.remove());
const key = await server.key();

async function call<Body>(method: string, path: string, body?: object | string): Promise<Body> {
  const json = typeof body === "object";
  const response = await fetch(server.url + path, {
    method,
    headers: { authorization: `Bearer ${key}`, ...(json && { "content-type": "application/json" }) },
    ...(body !== undefined && { body: json ? JSON.stringify(body) : body }),
  });
  expect(response.ok, `${method} ${path}: ${response.status}`).toBe(true);
  return (await response.json()) as Body;
}

test("an inbox detects missing events, fetches them, and handles all of a video's events once and in order", async () => {
  const handled: { type: string; refilled: boolean; late: boolean }[] = [];
  const gaps: Gap[] = [];
  const inbox = createInbox({
    store: memoryStore(),
    events: eventsFrom(server.url, key),
    handle: ({ type }, { refilled, late }) => void handled.push({ type, refilled, late }),
    onGap: (gap) => gaps.push(gap),
  });
  let [failing, secret] = [false, "whsec_not_known_yet"];
  const receiver = createServer((request, response) => {
    if (failing) return response.writeHead(500).end();
    return webhook(secret, inbox)(request, response);
  }).listen(0, "127.0.0.1");
  await once(receiver, "listening");
  afterAll(() => receiver.close());
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/webhooks`;
  const events = ["video.created", "video.processing", "video.failed", "video.deleted"];
  ({ secret } = await call<{ secret: string }>("POST", "/v1/webhooks", { url, events }));

  const { id } = await call<{ id: string }>("POST", "/v1/videos", { name: "Missed" });
  await eventually(() => expect(handled.length).toBe(1));
  failing = true;
  await call("PUT", `/v1/videos/${id}/file`, "This is no video. ".repeat(100));
  await eventually(async () => {
    const failed = await call<{ data: object[] }>("GET", `/v1/deliveries?video=${id}&status=failed`);
    expect(failed.data.length).toBe(2);
  });
  failing = false;
  await call("DELETE", `/v1/videos/${id}`);
  await eventually(() => expect(handled.length).toBe(4));

  const known = await eventually(async () => {
    const listed = await call<{ data: { id: string }[] }>("GET", `/v1/events?video=${id}`);
    expect(listed.data).toHaveLength(4);
    return listed;
  });
  const [, processing, failed] = known.data.map((event) => event.id);
  expect(gaps).toEqual([{ video: id, after: 1, until: 3, refilled: [processing, failed], missing: [] }]);
  expect(handled).toEqual([
    { type: "video.created", refilled: false, late: false },
    { type: "video.processing", refilled: true, late: false },
    { type: "video.failed", refilled: true, late: false },
    { type: "video.deleted", refilled: false, late: false },
  ]);
});
