import fc from "fast-check";
import { expect, test } from "vitest";
import type { Fault } from "./upload-error.ts";
import { type Action, SENDING_MAX, STALLED_MS, step, type Upload } from "./upload-state.ts";

const file = (id: string, size = 1_000) => ({ id, name: `${id}.mp4`, size, modified: 1, video: null, sizeMax: 5_000 });
const offline: Fault = { kind: "offline" };

/** Steps through `[milliseconds, action]` pairs. */
function story(...happenings: [number, Action][]): readonly Upload[] {
  return happenings.reduce<readonly Upload[]>((uploads, [now, action]) => step(uploads, action, now), []);
}
const phases = (uploads: readonly Upload[]) => uploads.map(({ phase }) => phase.name);

test("two files are sent at once, the others wait for their turn", () => {
  const added: [number, Action] = [0, { type: "added", uploads: ["a", "b", "c", "d"].map((id) => file(id)) }];
  expect(phases(story(added))).toEqual(["sending", "sending", "queued", "queued"]);
  expect(phases(story(added, [1, { type: "received", id: "a" }]))).toEqual([
    "received",
    "sending",
    "sending",
    "queued",
  ]);
});

test("a pause keeps the place, and resuming goes on from there", () => {
  const uploads = story(
    [0, { type: "added", uploads: [file("a")] }],
    [1, { type: "located", id: "a", url: "/v1/uploads/a" }],
    [2, { type: "progressed", id: "a", sent: 400 }],
    [3, { type: "paused", id: "a" }],
  );
  expect(uploads[0]).toMatchObject({ phase: { name: "paused" }, sent: 400, url: "/v1/uploads/a" });
  expect(step(uploads, { type: "resumed", id: "a" }, 4)[0]).toMatchObject({ phase: { name: "sending" }, sent: 400 });
});

test("a progress report that comes after the pause changes nothing", () => {
  const paused = story([0, { type: "added", uploads: [file("a")] }], [1, { type: "paused", id: "a" }]);
  expect(step(paused, { type: "progressed", id: "a", sent: 900 }, 2)).toBe(paused);
});

test("a lost connection is tried again after 1, 2, 4 s, and at once when the browser is online again", () => {
  let uploads = story([0, { type: "added", uploads: [file("a")] }]);
  let now = 0;
  for (const wait of [1_000, 2_000, 4_000]) {
    uploads = step(uploads, { type: "broke", id: "a", fault: offline }, now);
    expect(uploads[0]?.phase).toMatchObject({ name: "retrying", at: now + wait });
    expect(phases(step(uploads, { type: "ticked" }, now + wait - 1))).toEqual(["retrying"]);
    expect(phases(step(uploads, { type: "online" }, now + 1))).toEqual(["sending"]);
    now += wait;
    uploads = step(uploads, { type: "ticked" }, now);
    expect(phases(uploads)).toEqual(["sending"]);
  }
});

test("bytes that moved for five seconds end a row of failures", () => {
  const uploads = story(
    [0, { type: "added", uploads: [file("a")] }],
    [0, { type: "broke", id: "a", fault: offline }],
    [1_000, { type: "ticked" }],
    [1_000, { type: "progressed", id: "a", sent: 1 }],
    [6_500, { type: "progressed", id: "a", sent: 2 }],
    [7_000, { type: "broke", id: "a", fault: offline }],
  );
  expect(uploads[0]?.phase).toMatchObject({ name: "retrying", at: 8_000 });
});

test("a connection that moves no byte for 30 s is made anew", () => {
  const uploads = story(
    [0, { type: "added", uploads: [file("a")] }],
    [5_000, { type: "progressed", id: "a", sent: 10 }],
  );
  expect(phases(step(uploads, { type: "ticked" }, 5_000 + STALLED_MS - 1))).toEqual(["sending"]);
  expect(phases(step(uploads, { type: "ticked" }, 5_000 + STALLED_MS))).toEqual(["retrying"]);
});

test("what is refused for good stops, says why, and frees its place", () => {
  const refused: Fault = { kind: "answered", status: 413, detail: "At most 20 GB.", retryAfter_s: null };
  const uploads = story(
    [0, { type: "added", uploads: ["a", "b", "c"].map((id) => file(id)) }],
    [1, { type: "broke", id: "a", fault: refused }],
  );
  expect(uploads[0]?.phase).toEqual({ name: "failed", why: "At most 20 GB." });
  expect(phases(uploads)).toEqual(["failed", "sending", "sending"]);
});

test("after a reload an upload waits for its file, then goes on from the byte it had", () => {
  const [before] = story(
    [0, { type: "added", uploads: [file("a")] }],
    [1, { type: "created", id: "a", video: "k1iFD7h4rW" }],
    [2, { type: "located", id: "a", url: "/v1/uploads/a" }],
    [3, { type: "progressed", id: "a", sent: 400 }],
  );
  const reloaded = story([9, { type: "remembered", uploads: [{ upload: before!, kept: false }] }]);
  expect(phases(reloaded)).toEqual(["interrupted"]);
  expect(phases(step(reloaded, { type: "all resumed" }, 10))).toEqual(["interrupted"]);
  expect(step(reloaded, { type: "found", id: "a" }, 10)[0]).toMatchObject({
    phase: { name: "sending" },
    sent: 400,
    video: "k1iFD7h4rW",
    made: true,
  });
});

test("a part that the server no longer has is sent from the first byte", () => {
  const uploads = story(
    [0, { type: "added", uploads: [file("a")] }],
    [1, { type: "located", id: "a", url: "/v1/uploads/a" }],
    [2, { type: "progressed", id: "a", sent: 400 }],
    [3, { type: "located", id: "a", url: null }],
    [3, { type: "broke", id: "a", fault: { kind: "part expired" } }],
    [4, { type: "ticked" }],
  );
  expect(uploads[0]).toMatchObject({ url: null, sent: 0, phase: { name: "sending" } });
});

test("an empty file is refused before anything is created for it", () => {
  expect(story([0, { type: "added", uploads: [file("a", 0)] }])[0]?.phase).toEqual({
    name: "failed",
    why: "The file is empty.",
  });
});

test("a file larger than the server takes is refused before anything is created for it", () => {
  const [upload] = story([0, { type: "added", uploads: [file("a", 7_000)] }]);
  expect(upload?.phase).toEqual({
    name: "failed",
    why: "The file has 7.0\u00a0kB; this server takes up to 5.0\u00a0kB.",
  });
});

test("whatever happens in whatever order: at most two are sent at once, and no place stays empty while one waits", () => {
  const id = fc.constantFrom("a", "b", "c", "d");
  const action: fc.Arbitrary<Action> = fc.oneof(
    id.map((id) => ({ type: "paused", id }) as const),
    id.map((id) => ({ type: "resumed", id }) as const),
    id.map((id) => ({ type: "received", id }) as const),
    id.map((id) => ({ type: "removed", id }) as const),
    id.map((id) => ({ type: "progressed", id, sent: 500 }) as const),
    id.map((id) => ({ type: "broke", id, fault: offline }) as const),
    fc.constantFrom<Action>({ type: "all paused" }, { type: "all resumed" }, { type: "online" }, { type: "ticked" }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(5_000), action), { maxLength: 60 }), (happenings) => {
      let uploads = story([0, { type: "added", uploads: ["a", "b", "c", "d"].map((id) => file(id)) }]);
      let now = 0;
      for (const [pause, one] of happenings) {
        now += pause;
        const before = uploads;
        uploads = step(uploads, one, now);
        const count = (name: string) => phases(uploads).filter((phase) => phase === name).length;
        expect(count("sending")).toBeLessThanOrEqual(SENDING_MAX);
        if (count("queued") > 0) expect(count("sending")).toBe(SENDING_MAX);
        for (const upload of before)
          if (upload.phase.name === "received" && !(one.type === "removed" && one.id === upload.id))
            expect(uploads).toContain(upload);
      }
    }),
  );
});
