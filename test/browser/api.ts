import { expect } from "vitest";
import { pause } from "../../server/src/kernel/clock.ts";
import type { TestServer } from "../support/server.ts";

/** Returns an API client for tests in which a program calls the API while a user works in the browser. */
export function apiOf(server: TestServer, key: string) {
  const send = (method: string, path: string, body?: unknown) =>
    fetch(server.url + path, {
      method,
      headers: { authorization: `Bearer ${key}`, ...(body !== undefined && { "content-type": "application/json" }) },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  const call = async (method: string, path: string, body?: unknown) => {
    let response = await send(method, path, body);
    // As every client should: after a 503, nothing was changed, and the server may only be slow.
    for (let tries = 1; response.status === 503 && tries < 5; tries++) {
      await pause(Number(response.headers.get("retry-after")) * 1_000);
      response = await send(method, path, body);
    }
    if (!response.ok) expect.fail(`${method} ${path} returned ${response.status}: ${await response.text()}`);
    return (await response.json()) as {
      id: string;
      status: string;
      secret: string;
      data: { id: string; status: string }[];
    };
  };
  return {
    get: (path: string) => call("GET", path),
    webhook: (url: string, description: string, more: object = {}) =>
      call("POST", "/v1/webhooks", { url, description, events: ["video.created", "video.deleted"], ...more }),
    video: (name: string) => call("POST", "/v1/videos", { name }),
    post: (path: string, body: unknown) => call("POST", path, body),
    remove: (path: string) => call("DELETE", path),
    patch: (path: string, body: unknown) => call("PATCH", path, body),
  };
}
