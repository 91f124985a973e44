import { once } from "node:events";
import { readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { createServer, request as httpRequest } from "node:http";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { openVideoRoom } from "../../../test/support/videos.ts";
import { createApiKeys } from "../auth/api-keys.ts";
import { createTusHandler } from "./tus.ts";

const MAX_BYTES = 1_000_000;
const db = await testDatabase();
const room = await openVideoRoom(db, { maxBytes: MAX_BYTES });
const apiKeys = createApiKeys(room);
const { key } = await apiKeys.create(db, room.space, { name: "test", scope: "write", by: "test" });
const readKey = (await apiKeys.create(db, room.space, { name: "test", scope: "read", by: "test" })).key;
const otherSpace = "00000000-0000-7000-8000-00000000000a";
await db.run({ name: "test_space_2", text: "insert into spaces (id, name) values ($1, 'Other')" }, [otherSpace]);
const otherKey = (await apiKeys.create(db, otherSpace, { name: "test", scope: "write", by: "test" })).key;

const handleTus = createTusHandler({ ...room, apiKeys });
const server = createServer((request, response) => {
  if (!handleTus(request, response)) response.writeHead(404).end();
}).listen(0, "127.0.0.1");
await once(server, "listening");
afterAll(() => {
  server.closeAllConnections();
  server.close();
});
const origin = `http://127.0.0.1:${(server.address() as { port: number }).port}`;

const base64 = (text: string) => Buffer.from(text).toString("base64");

interface RequestParts {
  method: string;
  path?: string;
  bearer?: string;
  headers?: Record<string, string>;
  body?: Buffer;
}

function ask({ method, path = "/v1/uploads", bearer = key, headers = {}, body }: RequestParts): Promise<Response> {
  return fetch(new URL(path, origin), {
    method,
    headers: { "tus-resumable": "1.0.0", authorization: `Bearer ${bearer}`, ...headers },
    ...(body ? { body: new Uint8Array(body) } : {}),
  });
}

const create = (video: string, size: number, more: Partial<RequestParts> & { name?: string } = {}) =>
  ask({
    method: "POST",
    ...more,
    headers: {
      "upload-length": String(size),
      "upload-metadata": `video ${base64(video)},filename ${base64(more.name ?? "a.mp4")}`,
      ...more.headers,
    },
  });

const OCTETS = { "content-type": "application/offset+octet-stream" };
const patch = (path: string, offset: number, body: Buffer, bearer = key) =>
  ask({ method: "PATCH", path, bearer, headers: { ...OCTETS, "upload-offset": String(offset) }, body });

async function newVideo(): Promise<string> {
  return (await room.library.create(room.space, {})).id;
}

const stateOf = async (path: string) => (await room.uploads.get(path.split("/").at(-1)!))?.state;

/** Sends the first bytes of a PATCH and then closes the connection. */
async function abortPatch(path: string, length: number, sent: Buffer): Promise<void> {
  const request = httpRequest(new URL(path, origin), {
    method: "PATCH",
    headers: {
      ...OCTETS,
      ...{
        "tus-resumable": "1.0.0",
        authorization: `Bearer ${key}`,
        "upload-offset": "0",
        "content-length": length,
      },
    },
  });
  request.on("error", () => {});
  request.write(sent);
  const part = join(room.folders.incoming, path.split("/").at(-1)!);
  await expect.poll(async () => (await readFile(part)).length).toBe(sent.length);
  request.destroy();
}

describe("a tus upload", () => {
  test("is created, sent and received in full", async () => {
    const video = await newVideo();
    const created = await create(video, 10);
    expect(created.status).toBe(201);
    const path = created.headers.get("location")!;
    expect(path).toMatch(/^\/v1\/uploads\/[0-9a-f]{32}$/);
    expect(Date.parse(created.headers.get("upload-expires")!)).toBeGreaterThan(Date.now() + 23 * 3_600_000);
    expect(await room.library.get(room.space, video)).toMatchObject({ status: "uploading" });
    const sent = await patch(path, 0, Buffer.from("0123456789"));
    expect([sent.status, sent.headers.get("upload-offset")]).toEqual([204, "10"]);
    expect(await stateOf(path)).toBe("received");
    expect(await room.library.get(room.space, video)).toMatchObject({ status: "processing", progress: 0 });
    expect(await readFile(join(room.folders.originals, path.split("/").at(-1)!), "utf8")).toBe("0123456789");
  });

  test("can be sent in the request that creates it", async () => {
    const created = await create(await newVideo(), 3, { headers: OCTETS, body: Buffer.from("abc") });
    expect([created.status, created.headers.get("upload-offset")]).toEqual([201, "3"]);
    expect(await stateOf(created.headers.get("location")!)).toBe("received");
  });

  test("resumes at the last stored byte after its connection breaks", async () => {
    const path = (await create(await newVideo(), 10)).headers.get("location")!;
    await abortPatch(path, 10, Buffer.from("0123"));
    const head = await ask({ method: "HEAD", path });
    expect([head.status, head.headers.get("upload-offset"), head.headers.get("upload-length")]).toEqual([
      200,
      "4",
      "10",
    ]);
    expect((await patch(path, 4, Buffer.from("456789"))).status).toBe(204);
    expect(await stateOf(path)).toBe("received");
  });

  test("is reported as complete to a client that missed the last response", async () => {
    const path = (await create(await newVideo(), 3, { headers: OCTETS, body: Buffer.from("abc") })).headers.get(
      "location",
    )!;
    const head = await ask({ method: "HEAD", path });
    expect([head.status, head.headers.get("upload-offset")]).toEqual([200, "3"]);
    expect((await patch(path, 3, Buffer.alloc(0))).status).toBe(204);
  });

  test("is finished by the reconciler if the server is killed after receiving the last byte", async () => {
    const path = (await create(await newVideo(), 5)).headers.get("location")!;
    await writeFile(join(room.folders.incoming, path.split("/").at(-1)!), "whole");
    await room.uploads.reconcile();
    expect(await stateOf(path)).toBe("received");
  });

  test("is canceled a day after its last byte, and its video goes back to waiting for a file", async () => {
    const video = await newVideo();
    const path = (await create(video, 5)).headers.get("location")!;
    const part = join(room.folders.incoming, path.split("/").at(-1)!);
    const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000);
    await utimes(part, hoursAgo(23), hoursAgo(23));
    await room.uploads.reconcile();
    expect(await stateOf(path)).toBe("receiving");
    await utimes(part, hoursAgo(25), hoursAgo(25));
    await room.uploads.reconcile();
    expect(await stateOf(path)).toBe("canceled");
    expect(await readdir(room.folders.incoming)).not.toContain(path.split("/").at(-1));
    expect(await room.library.get(room.space, video)).toMatchObject({ status: "waiting" });
  });

  test("can be canceled by its client", async () => {
    const video = await newVideo();
    const path = (await create(video, 5)).headers.get("location")!;
    expect((await ask({ method: "DELETE", path })).status).toBe(204);
    expect(await stateOf(path)).toBe("canceled");
    expect(await room.library.get(room.space, video)).toMatchObject({ status: "waiting" });
  });

  test("cannot be canceled once it is complete", async () => {
    const path = (await create(await newVideo(), 3, { headers: OCTETS, body: Buffer.from("abc") })).headers.get(
      "location",
    )!;
    expect((await ask({ method: "DELETE", path })).status).toBe(400);
    expect(await stateOf(path)).toBe("received");
  });

  test("cancels an older, unfinished upload to the same video and stops its client", async () => {
    const video = await newVideo();
    const older = (await create(video, 5)).headers.get("location")!;
    const newer = (await create(video, 5)).headers.get("location")!;
    expect((await ask({ method: "HEAD", path: older })).status).toBe(423);
    expect((await patch(older, 0, Buffer.from("older"))).status).toBe(423);
    expect((await patch(newer, 0, Buffer.from("newer"))).status).toBe(204);
  });

  test("is canceled when its video is deleted", async () => {
    const video = await newVideo();
    const path = (await create(video, 5)).headers.get("location")!;
    await room.library.remove(db, room.space, video);
    expect((await patch(path, 0, Buffer.from("bytes"))).status).toBe(423);
    expect((await create(video, 5)).status).toBe(404);
  });
});

describe("an upload token", () => {
  test("allows an upload to its video even if the request does not name the video", async () => {
    const { token } = await room.library.createUploadToken(db, room.space, await newVideo());
    const created = await ask({ method: "POST", bearer: token, headers: { "upload-length": "3" } });
    expect(created.status).toBe(201);
    const sent = await patch(created.headers.get("location")!, 0, Buffer.from("abc"), token);
    expect(sent.status).toBe(204);
  });

  test("does not give access to other videos or their uploads", async () => {
    const { token } = await room.library.createUploadToken(db, room.space, await newVideo());
    const other = await newVideo();
    expect((await create(other, 3, { bearer: token })).status).toBe(404);
    const path = (await create(other, 3)).headers.get("location")!;
    expect((await ask({ method: "HEAD", path, bearer: token })).status).toBe(404);
  });

  test("expires", async () => {
    const video = await newVideo();
    const { token } = await room.library.createUploadToken(db, room.space, video);
    await db.run({ name: "test_expire", text: "update upload_tokens set expires_at = now() where video_id = $1" }, [
      video,
    ]);
    expect((await create(video, 3, { bearer: token })).status).toBe(401);
  });
});

describe("a tus request", () => {
  const rejected: [string, () => Promise<Response>, number, string][] = [
    ["no key", async () => create(await newVideo(), 3, { headers: { authorization: "" } }), 401, "KEY_MISSING"],
    [
      "an unknown key",
      async () => create(await newVideo(), 3, { bearer: `mave_${"a".repeat(43)}` }),
      401,
      "KEY_INVALID",
    ],
    ["a read-only key", async () => create(await newVideo(), 3, { bearer: readKey }), 403, "SCOPE_INSUFFICIENT"],
    ["another space's video", async () => create(await newVideo(), 3, { bearer: otherKey }), 404, "NOT_FOUND"],
    ["an unknown video", () => create("k1iFD7h4rW", 3), 404, "NOT_FOUND"],
    ["a NUL in the video id", () => create("k1iFD7h4\u0000", 3), 404, "NOT_FOUND"],
    ["no video", () => ask({ method: "POST", headers: { "upload-length": "3" } }), 422, "REQUEST_INVALID"],
    ["an empty file", async () => create(await newVideo(), 0), 422, "UPLOAD_EMPTY"],
    ["a file that is too large", async () => create(await newVideo(), MAX_BYTES + 1), 413, "REQUEST_TOO_LARGE"],
    [
      "another protocol version",
      () => ask({ method: "POST", headers: { "tus-resumable": "9" } }),
      400,
      "REQUEST_MALFORMED",
    ],
    ["an unknown upload", () => ask({ method: "HEAD", path: `/v1/uploads/${"0".repeat(32)}` }), 404, "NOT_FOUND"],
    ["an invalid upload id", () => ask({ method: "HEAD", path: "/v1/uploads/..%2f..%2fetc" }), 404, "NOT_FOUND"],
    [
      "the method GET, which would return the file",
      () => ask({ method: "GET", path: `/v1/uploads/${"0".repeat(32)}` }),
      405,
      "METHOD_UNKNOWN",
    ],
  ];
  test.each(rejected)("with %s is rejected", async (_, send, status, code) => {
    const response = await send();
    expect(response.status).toBe(status);
    if (response.headers.get("content-length") === "0" || (await response.clone().text()) === "") return; // HEAD
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(await response.json()).toMatchObject({ status, code, detail: expect.stringMatching(/\w+ \w+/) });
  });

  test("for another space's upload is rejected exactly like a request for an unknown upload", async () => {
    const path = (await create(await newVideo(), 3)).headers.get("location")!;
    const theirs = await patch(path, 0, Buffer.from("abc"), otherKey);
    const unknown = await patch(`/v1/uploads/${"0".repeat(32)}`, 0, Buffer.from("abc"), otherKey);
    expect([theirs.status, await theirs.text()]).toEqual([unknown.status, await unknown.text()]);
  });

  test("has control characters removed from its file name", async () => {
    const created = await create(await newVideo(), 3, { name: "a\u0000\u0007b\ud83d.mp4" });
    const row = await room.uploads.get(created.headers.get("location")!.split("/").at(-1)!);
    expect(row?.file_name).toMatch(/^ab.\.mp4$/);
  });
});

test("browsers can upload from any origin", async () => {
  const response = await fetch(`${origin}/v1/uploads`, {
    method: "OPTIONS",
    headers: { origin: "https://app.example.com", "access-control-request-method": "POST" },
  });
  expect(response.status).toBe(204);
  expect(response.headers.get("access-control-allow-origin")).toBe("*");
  expect(response.headers.get("tus-extension")).toContain("termination");
});
