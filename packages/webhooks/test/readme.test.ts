/** Every code block in the README must appear verbatim in this file or in another tested file. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test, vi } from "vitest";
import { webhook } from "../src/fetch.ts";
import { REASONS, sign, verify, WebhookVerificationError } from "../src/index.ts";
import { createInbox, eventsFrom, memoryStore } from "../src/order.ts";

const secret = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";
const apiKey = "mave_key";
const url = "http://localhost/webhooks";
const created = 1_643_723_823;
const data = { id: "k1iFD7h4rW", object: "video" };

const signed = async () => {
  const body = JSON.stringify({ id: "j3bw2jWb6q7aWGwChsgR86", object: "event", type: "video.deleted", created, data });
  const request = new Request(url, { method: "POST", body, headers: await sign(body, secret) });
  return request;
};

test("verify returns the event from a signed request", async () => {
  const request = await signed();
  const rawBody = await request.text();
  const event = await verify(rawBody, request.headers, secret);
  expect(event.type).toBe("video.deleted");
});

test("a verification error has a code and a message", async () => {
  const request = await signed();
  const rawBody = "{}";
  const logged = vi.spyOn(console, "error").mockReturnValue();
  try {
    await verify(rawBody, request.headers, secret);
  } catch (error) {
    if (!(error instanceof WebhookVerificationError)) throw error;
    console.error(error.code, error.message);
  }
  expect(logged).toHaveBeenCalledExactlyOnceWith("SIGNATURE_MISMATCH", expect.stringContaining("secret"));
  logged.mockRestore();
});

test("an inbox passed to an adapter handles each event once", async () => {
  const logged = vi.spyOn(console, "log").mockReturnValue();
  const inbox = createInbox({
    store: memoryStore(),
    events: eventsFrom("https://videos.example.com", apiKey),
    onGap: (gap) => console.warn("not delivered:", gap),
    handle: (event, { late }) => console.log(event.type, late),
  });
  const receive = webhook(secret, inbox);
  for (const request of [await signed(), await signed()]) expect((await receive(request)).status).toBe(204);
  expect(logged).toHaveBeenCalledExactlyOnceWith("video.deleted", false);
  logged.mockRestore();
});

const root = join(import.meta.dirname, "..");
const read = (file: string) => readFile(join(root, file), "utf8");
/** Removes indentation, because an example inside a test is indented differently. */
const flat = (text: string) => text.replace(/^[ \t]+/gm, "");

test("every example in the README is tested", async () => {
  const examples = "../../examples/receivers";
  const files = ["test/readme.test.ts", "test/vectors.test.ts"];
  const receivers = ["express.mjs", "fastify.mjs", "next-route.ts"].map((file) => `${examples}/${file}`);
  const running = (await Promise.all([...files, ...receivers].map(read))).map((text) =>
    flat(text).replaceAll('"../src/node.ts"', '"@mave/webhooks/node"').replace("signatureHeaders, ", ""),
  );
  const blocks = [...(await read("README.md")).matchAll(/^```[jt]s\n([\s\S]*?)^```$/gm)].map(([, code]) => flat(code!));
  expect(blocks.length).toBeGreaterThan(7);
  for (const block of blocks) {
    expect(
      running.some((text) => text.includes(block.trimEnd())),
      block,
    ).toBe(true);
  }
});

test("the README lists every reason code", async () => {
  const page = await read("README.md");
  expect(Object.keys(REASONS).filter((code) => !page.includes(`\`${code}\``))).toEqual([]);
});
