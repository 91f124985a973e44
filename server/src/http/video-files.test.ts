import { once } from "node:events";
import { readdir, readFile, stat } from "node:fs/promises";
import { request as httpRequest } from "node:http";
import { Socket } from "node:net";
import { test as always, describe, expect } from "vitest";
import { testDatabase } from "../../../test/support/database.ts";
import { without } from "../../../test/support/machine.ts";
import { playable, unplayable, videoFolder } from "../../../test/support/video-files.ts";
import { eventTypes, openVideoRoom, serveVideos, settled } from "../../../test/support/videos.ts";
import { readRange } from "./media.ts";

const test = always.skipIf(without("ffmpeg"));

const MAX_BYTES = 5_000_000;
const db = await testDatabase();
const inputs = await videoFolder();
const room = await openVideoRoom(db, { maxBytes: MAX_BYTES });
const { url, key } = await serveVideos(room);
const authorization = `Bearer ${key}`;

const newVideo = async (name: string | null = null) => (await room.library.create(room.space, { name })).id;

const put = (video: string, body: Buffer, headers: Record<string, string> = {}) =>
  fetch(`${url}/v1/videos/${video}/file`, {
    method: "PUT",
    headers: { authorization, ...headers },
    body: new Uint8Array(body),
  });

async function readyVideo(name: string | null = null): Promise<string> {
  const id = await newVideo(name);
  await room.process();
  await put(id, await readFile(await playable(inputs, "plain-720p.mp4")));
  await settled(room, id, "ready");
  return id;
}

let first: Promise<string> | undefined;

/** Returns a playable video that all tests share and must not change. */
const anyReadyVideo = () => (first ??= readyVideo(`Cats & "dogs" </script><b>`));

describe("a PUT of a file", () => {
  test("returns the video, and the file becomes playable", async () => {
    const id = await newVideo();
    await room.process();
    const file = await readFile(await playable(inputs, "plain.mp4"));
    const response = await put(id, file, { "content-type": "video/mp4" });
    expect(response.status).toBe(202);
    expect(await response.json()).toMatchObject({ id, object: "video", last_upload: null });
    expect(await settled(room, id, "ready")).toMatchObject({ size: file.length });
    expect(await eventTypes(db, id)).toEqual(["video.created", "video.processing", "video.uploaded"]);
  });

  test.each<[string, () => Promise<Response>, number, string]>([
    ["an empty body", async () => put(await newVideo(), Buffer.alloc(0)), 422, "UPLOAD_EMPTY"],
    [
      "a body that is too large",
      async () => put(await newVideo(), Buffer.alloc(MAX_BYTES + 1)),
      413,
      "REQUEST_TOO_LARGE",
    ],
    [
      "a form",
      async () => put(await newVideo(), Buffer.from("--a--"), { "content-type": "multipart/form-data; boundary=a" }),
      415,
      "REQUEST_UNSUPPORTED",
    ],
    ["a file for an unknown video", () => put("k1iFD7h4rW", Buffer.from("bytes")), 404, "NOT_FOUND"],
    [
      "a file without a key",
      async () => put(await newVideo(), Buffer.from("bytes"), { authorization: "" }),
      401,
      "KEY_INVALID",
    ],
  ])("of %s is rejected", async (_, send, status, code) => {
    const response = await send();
    expect(response.status).toBe(status);
    expect(await response.json()).toMatchObject({ code, detail: expect.stringMatching(/\w+ \w+/) });
    expect(await readdir(room.folders.incoming)).toEqual([]);
  });

  test("is stopped at the size limit if its body is endless", async () => {
    const id = await newVideo();
    const request = httpRequest(`${url}/v1/videos/${id}/file`, { method: "PUT", headers: { authorization } });
    request.on("error", () => {});
    const responded = once(request, "response");
    const chunk = Buffer.alloc(65_536);
    const send = (): void => {
      if (!request.destroyed) request.write(chunk, () => setImmediate(send));
    };
    send();
    const [response] = await responded;
    request.destroy();
    expect(response.statusCode).toBe(413);
    await expect.poll(() => readdir(room.folders.incoming)).toEqual([]);
    expect(await room.library.get(room.space, id)).toMatchObject({ status: "waiting" });
  });

  test("leaves no file if it is aborted, and the video goes back to waiting for a file", async () => {
    const id = await newVideo();
    const socket = new Socket().connect(Number(new URL(url).port), "127.0.0.1");
    socket.write(
      `PUT /v1/videos/${id}/file HTTP/1.1\r\nHost: localhost\r\nAuthorization: ${authorization}\r\nContent-Length: 1000\r\n\r\nthe beginning`,
    );
    await expect.poll(async () => (await room.library.get(room.space, id)).status).toBe("uploading");
    socket.destroy();
    await expect.poll(async () => (await room.library.get(room.space, id)).status).toBe("waiting");
    await expect.poll(() => readdir(room.folders.incoming)).toEqual([]);
  });
});

describe("media files", () => {
  test("support range requests and requests from any origin, and are cached for at most a day", async () => {
    const id = await anyReadyVideo();
    const file = `${url}/media/${id}/1/720p.mp4`;
    const { size } = await stat(`${room.folders.media}/${id}/1/720p.mp4`);
    const part = await fetch(file, { headers: { range: "bytes=4-7" } });
    expect(part.status).toBe(206);
    expect(await part.text()).toBe("ftyp");
    expect(Object.fromEntries(part.headers)).toMatchObject({
      "content-range": `bytes 4-7/${size}`,
      "content-type": "video/mp4",
      "cache-control": "public, max-age=86400",
      "access-control-allow-origin": "*",
      "cross-origin-resource-policy": "cross-origin",
      "x-content-type-options": "nosniff",
    });
    const whole = await fetch(file);
    expect([whole.status, (await whole.arrayBuffer()).byteLength]).toEqual([200, size]);
    const again = await fetch(file, { headers: { "if-none-match": whole.headers.get("etag")! } });
    expect(again.status).toBe(304);
    const head = await fetch(file, { method: "HEAD" });
    expect([head.status, head.headers.get("content-length")]).toEqual([200, String(size)]);
    expect((await fetch(file, { headers: { range: `bytes=${size}-` } })).status).toBe(416);
    const playlist = await fetch(`${url}/media/${id}/1/master.m3u8`);
    expect(playlist.headers.get("content-type")).toBe("application/vnd.apple.mpegurl");
    expect(playlist.headers.get("cache-control")).toBe("public, no-cache"); // nothing plays after a deletion
  });

  test("return 404 as soon as their video is deleted", async () => {
    const id = await readyVideo();
    expect((await fetch(`${url}/media/${id}/1/poster.jpg`)).status).toBe(200);
    await room.library.remove(db, room.space, id);
    expect((await fetch(`${url}/media/${id}/1/poster.jpg`)).status).toBe(404);
    const playlist = await fetch(`${url}/media/${id}/1/master.m3u8`);
    expect([playlist.status, playlist.headers.get("cache-control")]).toEqual([404, "no-store"]);
  });

  test.each([
    "/media/../../etc/passwd/x.mp4",
    "/media/a/b/..%2f..%2f..%2fetc%2fpasswd.mp4",
    "/media/a/b/%00.mp4",
    "/media/k1iFD7h4rW/1/.mp4",
    "/media/a/b/c",
  ])("do not expose other files through paths such as %s", async (path) => {
    const socket = new Socket().connect(Number(new URL(url).port), "127.0.0.1");
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
    const [first] = await once(socket, "data");
    expect(String(first)).toMatch(/^HTTP\/1\.1 40[014] /);
    socket.destroy();
  });

  test.each<[string | undefined, ReturnType<typeof readRange>]>([
    [undefined, null],
    ["bytes=0-0", { start: 0, end: 0 }],
    ["bytes=5-", { start: 5, end: 9 }],
    ["bytes=-3", { start: 7, end: 9 }],
    ["bytes=-30", { start: 0, end: 9 }],
    ["bytes=2-100", { start: 2, end: 9 }],
    ["bytes=10-", "unsatisfiable"],
    ["bytes=-0", "unsatisfiable"],
    ["bytes=5-2", null],
    ["bytes=0-1,4-5", null],
    ["lines=1-2", null],
    ["bytes=-", null],
  ])("resolve the range %s of ten bytes", (range, expected) => {
    expect(readRange({ range }, 10, '"a"')).toEqual(expected);
  });
});

describe("the page at embed_url", () => {
  test("has the poster before any script, and metadata for other sites", async () => {
    const id = await anyReadyVideo();
    const response = await fetch(`${url}/${id}`);
    const page = await response.text();
    expect(response.status).toBe(200);
    expect(page.indexOf('<img id="poster"')).toBeGreaterThan(0);
    expect(page.indexOf('<img id="poster"')).toBeLessThan(page.indexOf('<script type="module"'));
    expect(page).not.toContain("<b>");
    expect(page).toContain('<meta property="og:title" content="Cats &amp; &quot;dogs&quot; &lt;/script&gt;&lt;b&gt;">');
    expect(page).toContain(`<meta property="og:video" content="${url}/${id}">`);
    expect(page).toContain(`<meta property="og:image" content="${url}/media/${id}/1/poster.jpg">`);
    expect(page).toContain(`<meta name="twitter:player" content="${url}/${id}">`);
    expect(page).toContain('"@type":"VideoObject"');
    expect(page).toContain(`href="${url}/oembed?url=${encodeURIComponent(`${url}/${id}`)}"`);
    expect(response.headers.get("x-frame-options")).toBeNull();
    expect(response.headers.get("content-security-policy")).toMatch(/default-src 'none';.*frame-ancestors \*/);
  });

  test("shows whether its video has no file yet, is being processed, has failed or was deleted", async () => {
    const id = await newVideo();
    const page = async () => {
      const response = await fetch(`${url}/${id}`);
      return `${response.status} ${/<h1>(.*)<\/h1>/.exec(await response.text())?.[1]}`;
    };
    expect(await page()).toBe("200 No video yet");
    await put(id, await readFile(await unplayable(inputs, "random.mp4")));
    expect(await page()).toBe("200 Processing video");
    await room.process();
    await settled(room, id, "failed");
    expect(await page()).toBe("200 Video unavailable");
    await room.library.remove(db, room.space, id);
    expect(await page()).toBe("410 Video deleted");
  });

  test("returns an HTML page with status 404 if the video id is unknown", async () => {
    const response = await fetch(`${url}/AAAAAAAAAA`);
    expect([response.status, response.headers.get("content-type")]).toEqual([404, "text/html; charset=utf-8"]);
  });

  test("does not tell viewers that the server has no ffmpeg", async () => {
    const id = await newVideo();
    await room.process(null);
    await put(id, await readFile(await playable(inputs, "old.avi")));
    await settled(room, id, "failed");
    expect(await (await fetch(`${url}/${id}`)).text()).not.toContain("ffmpeg");
  });
});

describe("oEmbed", () => {
  test("returns embed code that fits the requested size", async () => {
    const id = await anyReadyVideo();
    const ask = async (more: string) =>
      (await fetch(`${url}/oembed?url=${encodeURIComponent(`${url}/${id}`)}${more}`)).json();
    expect(await ask("")).toMatchObject({
      version: "1.0",
      type: "video",
      title: expect.stringMatching(/^Cats/),
      width: 1280,
      height: 720,
    });
    const small = (await ask("&maxwidth=640&maxheight=300")) as { width: number; height: number; html: string };
    expect([small.width, small.height]).toEqual([533, 300]);
    expect(small.html).toMatch(
      /^<iframe src="http:\/\/localhost:\d+\/\w{10}" width="533" height="300" title="Cats &amp; /,
    );
  });

  test.each([
    ["", 422],
    ["url=https%3A%2F%2Felsewhere.example%2Fk1iFD7h4rW", 404],
    ["url=nonsense", 404],
    ["url=%2F&format=xml", 501],
    ["url=%2F&maxwidth=wide", 422],
  ])("responds to the query '%s' with status %i", async (query, status) => {
    expect((await fetch(`${url}/oembed?${query}`)).status).toBe(status);
  });
});
