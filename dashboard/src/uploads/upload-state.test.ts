import fc from "fast-check";
import { expect, test } from "vitest";
import type { UploadError } from "./upload-error.ts";
import { type Action, reduce, SENDING_MAX, STALLED_MS, type Upload } from "./upload-state.ts";

const file = (id: string, size = 1_000) => ({ id, name: `${id}.mp4`, size, modified: 1, video: null, sizeMax: 5_000 });
const offline: UploadError = { kind: "offline" };

/** Applies each action at the given time in ms. */
function after(...actions: [number, Action][]): readonly Upload[] {
  return actions.reduce<readonly Upload[]>((uploads, [now, action]) => reduce(uploads, action, now), []);
}
const phases = (uploads: readonly Upload[]) => uploads.map(({ phase }) => phase.name);

test("two files are sent at once while the others stay queued", () => {
  const added: [number, Action] = [0, { type: "added", uploads: ["a", "b", "c", "d"].map((id) => file(id)) }];
  expect(phases(after(added))).toEqual(["sending", "sending", "queued", "queued"]);
  expect(phases(after(added, [1, { type: "received", id: "a" }]))).toEqual([
    "received",
    "sending",
    "sending",
    "queued",
  ]);
});

test("a paused upload keeps its progress and continues from there when resumed", () => {
  const uploads = after(
    [0, { type: "added", uploads: [file("a")] }],
    [1, { type: "located", id: "a", url: "/v1/uploads/a" }],
    [2, { type: "progressed", id: "a", sent: 400 }],
    [3, { type: "paused", id: "a" }],
  );
  expect(uploads[0]).toMatchObject({ phase: { name: "paused" }, sent: 400, url: "/v1/uploads/a" });
  expect(reduce(uploads, { type: "resumed", id: "a" }, 4)[0]).toMatchObject({ phase: { name: "sending" }, sent: 400 });
});

test("progress reported after a pause is ignored", () => {
  const paused = after([0, { type: "added", uploads: [file("a")] }], [1, { type: "paused", id: "a" }]);
  expect(reduce(paused, { type: "progressed", id: "a", sent: 900 }, 2)).toBe(paused);
});

test("a lost connection is retried after 1, 2, and 4 s, and immediately when the browser is back online", () => {
  let uploads = after([0, { type: "added", uploads: [file("a")] }]);
  let now = 0;
  for (const wait of [1_000, 2_000, 4_000]) {
    uploads = reduce(uploads, { type: "failed", id: "a", error: offline }, now);
    expect(uploads[0]?.phase).toMatchObject({ name: "retrying", at: now + wait });
    expect(phases(reduce(uploads, { type: "ticked" }, now + wait - 1))).toEqual(["retrying"]);
    expect(phases(reduce(uploads, { type: "online" }, now + 1))).toEqual(["sending"]);
    now += wait;
    uploads = reduce(uploads, { type: "ticked" }, now);
    expect(phases(uploads)).toEqual(["sending"]);
  }
});

test("sending for five seconds resets the failure count", () => {
  const uploads = after(
    [0, { type: "added", uploads: [file("a")] }],
    [0, { type: "failed", id: "a", error: offline }],
    [1_000, { type: "ticked" }],
    [1_000, { type: "progressed", id: "a", sent: 1 }],
    [6_500, { type: "progressed", id: "a", sent: 2 }],
    [7_000, { type: "failed", id: "a", error: offline }],
  );
  expect(uploads[0]?.phase).toMatchObject({ name: "retrying", at: 8_000 });
});

test("a connection that sends nothing for 30 s is replaced", () => {
  const uploads = after(
    [0, { type: "added", uploads: [file("a")] }],
    [5_000, { type: "progressed", id: "a", sent: 10 }],
  );
  expect(phases(reduce(uploads, { type: "ticked" }, 5_000 + STALLED_MS - 1))).toEqual(["sending"]);
  expect(phases(reduce(uploads, { type: "ticked" }, 5_000 + STALLED_MS))).toEqual(["retrying"]);
});

test("a permanently rejected upload fails with the reason, and the next upload starts", () => {
  const rejection: UploadError = { kind: "response", status: 413, detail: "At most 20 GB.", retryAfter_s: null };
  const uploads = after(
    [0, { type: "added", uploads: ["a", "b", "c"].map((id) => file(id)) }],
    [1, { type: "failed", id: "a", error: rejection }],
  );
  expect(uploads[0]?.phase).toEqual({ name: "failed", reason: "At most 20 GB." });
  expect(phases(uploads)).toEqual(["failed", "sending", "sending"]);
});

test("after a reload, an upload waits for its file, then continues after the last byte it sent", () => {
  const [before] = after(
    [0, { type: "added", uploads: [file("a")] }],
    [1, { type: "created", id: "a", video: "k1iFD7h4rW" }],
    [2, { type: "located", id: "a", url: "/v1/uploads/a" }],
    [3, { type: "progressed", id: "a", sent: 400 }],
  );
  const reloaded = after([9, { type: "restored", uploads: [{ upload: before!, hasHandle: false }] }]);
  expect(phases(reloaded)).toEqual(["interrupted"]);
  expect(phases(reduce(reloaded, { type: "all resumed" }, 10))).toEqual(["interrupted"]);
  expect(reduce(reloaded, { type: "reopened", id: "a" }, 10)[0]).toMatchObject({
    phase: { name: "sending" },
    sent: 400,
    video: "k1iFD7h4rW",
    createdVideo: true,
  });
});

test("an upload restarts from the first byte if the server no longer has the partial upload", () => {
  const uploads = after(
    [0, { type: "added", uploads: [file("a")] }],
    [1, { type: "located", id: "a", url: "/v1/uploads/a" }],
    [2, { type: "progressed", id: "a", sent: 400 }],
    [3, { type: "located", id: "a", url: null }],
    [3, { type: "failed", id: "a", error: { kind: "part expired" } }],
    [4, { type: "ticked" }],
  );
  expect(uploads[0]).toMatchObject({ url: null, sent: 0, phase: { name: "sending" } });
});

test("an empty file is rejected before a video is created for it", () => {
  expect(after([0, { type: "added", uploads: [file("a", 0)] }])[0]?.phase).toEqual({
    name: "failed",
    reason: "The file is empty.",
  });
});

test("a file over the upload limit is rejected before a video is created for it", () => {
  const [upload] = after([0, { type: "added", uploads: [file("a", 7_000)] }]);
  expect(upload?.phase).toEqual({
    name: "failed",
    reason: "The file is 7.0\u00a0kB; this server accepts up to 5.0\u00a0kB.",
  });
});

test("whatever the order of actions, at most two uploads are sent at once, and a queued upload starts once there is room", () => {
  const id = fc.constantFrom("a", "b", "c", "d");
  const anyAction: fc.Arbitrary<Action> = fc.oneof(
    id.map((id) => ({ type: "paused", id }) as const),
    id.map((id) => ({ type: "resumed", id }) as const),
    id.map((id) => ({ type: "received", id }) as const),
    id.map((id) => ({ type: "removed", id }) as const),
    id.map((id) => ({ type: "progressed", id, sent: 500 }) as const),
    id.map((id) => ({ type: "failed", id, error: offline }) as const),
    fc.constantFrom<Action>({ type: "all paused" }, { type: "all resumed" }, { type: "online" }, { type: "ticked" }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(5_000), anyAction), { maxLength: 60 }), (actions) => {
      let uploads = after([0, { type: "added", uploads: ["a", "b", "c", "d"].map((id) => file(id)) }]);
      let now = 0;
      for (const [elapsed_ms, action] of actions) {
        now += elapsed_ms;
        const before = uploads;
        uploads = reduce(uploads, action, now);
        const count = (name: string) => phases(uploads).filter((phase) => phase === name).length;
        expect(count("sending")).toBeLessThanOrEqual(SENDING_MAX);
        if (count("queued") > 0) expect(count("sending")).toBe(SENDING_MAX);
        for (const upload of before)
          if (upload.phase.name === "received" && !(action.type === "removed" && action.id === upload.id))
            expect(uploads).toContain(upload);
      }
    }),
  );
});
