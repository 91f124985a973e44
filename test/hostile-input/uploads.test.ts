import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startServer, type TestServer } from "../support/server.ts";
import { ask, expectNoFault, expectRefusal, raw } from "./probe.ts";

let server: TestServer;
let key: string;
let video: string;

beforeAll(async () => {
  server = await startServer({ MAVE_UPLOAD_MAX_BYTES: "1000000" });
  key = await server.key();
  const headers = { authorization: `Bearer ${key}`, "content-type": "application/json" };
  const made = await fetch(`${server.url}/v1/videos`, { method: "POST", headers, body: "{}" });
  video = ((await made.json()) as { id: string }).id;
}, 60_000);
afterAll(() => server?.remove());

const tus = (headers: Record<string, string>, method = "POST", path = "/v1/uploads", body?: string) =>
  ask(`${server.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, "tus-resumable": "1.0.0", ...headers },
    ...(body !== undefined && { body }),
  });
const named = (name: string) => Buffer.from(name).toString("base64");

describe("an invalid tus request:", () => {
  test.each(["-1", "abc", "", "1e99", "99999999999999999999999", "1.5", "NaN", " ", "0x10"])(
    "an Upload-Length of %j is rejected",
    async (length) => {
      expectRefusal(await tus({ "upload-length": length, "upload-metadata": `video ${named(video)}` }), length);
    },
  );

  test.each([
    ["no keys", ""],
    ["invalid base64", "video ***"],
    ["a duplicate key", `video ${named("a")},video ${named("b")}`],
    ["an unknown video", `video ${named("AAAAAAAAAA")}`],
    ["a path as the video", `video ${named("../../etc/passwd")}`],
    ["a NUL", `video ${named("a\0b")}`],
    ["invalid UTF-8", `video ${Buffer.from([0xff, 0xfe]).toString("base64")}`],
    ["ten thousand characters", `video ${named("x".repeat(7_000))}`],
    ["the key __proto__", `__proto__ ${named("x")}`],
  ])("Upload-Metadata with %s is rejected", async (_name, metadata) => {
    expectRefusal(await tus({ "upload-length": "10", "upload-metadata": metadata }), metadata.slice(0, 60));
  });

  test("an unsupported version, an invalid key or a missing key is rejected", async () => {
    const good = { "upload-length": "10", "upload-metadata": `video ${named(video)}` };
    expectRefusal(await tus({ ...good, "tus-resumable": "9.9.9" }), "version 9");
    expectRefusal(await tus({ ...good, authorization: "Bearer mave_x" }), "another key");
    expectRefusal(await tus({ ...good, authorization: "" }), "no key");
  });

  test.each(["..%2f..%2fetc%2fpasswd", "%00", "x".repeat(3_000), "__proto__", "%ff", "AAAA"])(
    "an upload with the id %s is rejected",
    async (id) => {
      for (const method of ["HEAD", "PATCH", "DELETE"]) {
        const headers = { "upload-offset": "0", "content-type": "application/offset+octet-stream" };
        const response = await tus(headers, method, `/v1/uploads/${id}`);
        if (method === "HEAD") expect(response.status).toBe(404);
        else expectRefusal(response, `${method} ${id.slice(0, 30)}`);
      }
    },
  );

  test("a PATCH with a wrong offset or type is rejected, and no PATCH can exceed the declared length", async () => {
    const made = await fetch(`${server.url}/v1/uploads`, {
      method: "POST",
      headers: {
        authorization: `Bearer ${key}`,
        "tus-resumable": "1.0.0",
        "upload-length": "10",
        "upload-metadata": `video ${named(video)}`,
      },
    });
    expect(made.status).toBe(201);
    const path = new URL(made.headers.get("location")!, server.url).pathname;
    const type = { "content-type": "application/offset+octet-stream" };
    for (const offset of ["5", "-1", "abc", "99999999999999999999", ""])
      expectRefusal(await tus({ ...type, "upload-offset": offset }, "PATCH", path, "aaaaa"), `offset ${offset}`);
    expectRefusal(await tus({ "content-type": "text/plain", "upload-offset": "0" }, "PATCH", path, "aaaaa"), "type");
    expectNoFault(await tus({ ...type, "upload-offset": "0" }, "PATCH", path, "a".repeat(1_000)), "longer");
    const head = await fetch(`${server.url}${path}`, {
      method: "HEAD",
      headers: { authorization: `Bearer ${key}`, "tus-resumable": "1.0.0" },
    });
    expect(Number(head.headers.get("upload-offset"))).toBeLessThanOrEqual(10);
    expectNoFault(await tus({}, "DELETE", path), "end");
  });
});

describe("a file sent in one request", () => {
  const put = (headers: Record<string, string>, body: string | ReadableStream, id = video) =>
    ask(`${server.url}/v1/videos/${id}/file`, {
      method: "PUT",
      headers: { authorization: `Bearer ${key}`, ...headers },
      body,
      duplex: "half",
    });

  test("is rejected if it is empty, too large, a form, or for an unknown video", async () => {
    expectRefusal(await put({}, ""), "empty");
    expectRefusal(await put({}, "a".repeat(1_000_001)), "too large");
    expectRefusal(await put({ "content-type": "multipart/form-data; boundary=x" }, "--x--"), "a form");
    expectRefusal(await put({}, "abc", "AAAAAAAAAA"), "unknown video");
  });

  test("leaves the video waiting if it is incomplete", async () => {
    const begin = `PUT /v1/videos/${video}/file HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${key}\r\nContent-Length: 1000\r\n\r\nabc`;
    await raw(server.url, begin, { silent_ms: 300 });
    const response = await expect.poll(async () => {
      const { body } = await ask(`${server.url}/v1/videos/${video}`, { headers: { authorization: `Bearer ${key}` } });
      return (JSON.parse(body) as { status: string }).status;
    });
    await response.toBe("waiting");
  });

  test("of unknown length is rejected once it exceeds the maximum", async () => {
    const endless = new ReadableStream({
      pull(controller) {
        controller.enqueue(Buffer.alloc(65_536));
      },
    });
    const response = await put({}, endless).catch(() => null);
    if (response !== null) expectRefusal(response, "endless");
  });
});

describe("after invalid uploads,", () => {
  test("the server is still running and has logged no internal errors", async () => {
    expect((await ask(`${server.url}/healthz`, {})).status).toBe(200);
    expect(server.output()).not.toMatch(/request failed|INTERNAL|unhandled|uncaught/i);
  });
});
