import { expect, test } from "vitest";
import { rate, secondsLeft } from "./estimate.ts";
import { type Action, reduce, type Upload } from "./upload-state.ts";
import { detail, heading, portion, timeLeft, videoName } from "./upload-text.ts";

const plain = (text: string) => text.replaceAll("\u00a0", " ");

/** Returns uploads that sent `perSecond` bytes each second for ten seconds. */
function sending(sizes: number[], perSecond: number): readonly Upload[] {
  const files = sizes.map((size, i) => ({
    id: `${i}`,
    name: `${i}.mov`,
    size,
    modified: 1,
    video: null,
    sizeMax: null,
  }));
  let uploads = reduce([], { type: "added", uploads: files }, 0);
  for (let second = 0; second <= 10; second++)
    for (const { id, phase } of uploads)
      if (phase.name === "sending")
        uploads = reduce(uploads, { type: "progressed", id, sent: second * perSecond }, second * 1_000);
  return uploads;
}

test("the speed and the time left are estimated from the last few seconds", () => {
  const uploads = sending([1_700_000_000], 12_400_000);
  expect(rate(uploads[0]!.samples)).toBeCloseTo(12_400_000);
  expect(secondsLeft(uploads)).toBeCloseTo((1_700 - 124) / 12.4);
  expect(plain(detail(uploads[0]!, 10_000))).toBe("0.1 of 1.7 GB, 12.4 MB/s");
  expect(plain(timeLeft(uploads))).toBe("about 3 min left");
});

test("the number of samples is limited, no matter how often progress is reported", () => {
  let uploads = reduce(
    [],
    { type: "added", uploads: [{ id: "a", name: "a", size: 1e9, modified: 1, video: null, sizeMax: null }] },
    0,
  );
  for (let ms = 0; ms < 60_000; ms += 16) uploads = reduce(uploads, { type: "progressed", id: "a", sent: ms }, ms);
  expect(uploads[0]!.samples.length).toBeLessThan(80);
  expect(rate(uploads[0]!.samples)).toBeCloseTo(1_000, 0);
});

test("the heading counts uploads by phase", () => {
  let uploads = sending([1_000, 1_000, 1_000, 1_000], 10);
  const after = (action: Action) => {
    uploads = reduce(uploads, action, 20_000);
    return heading(uploads).replace("\u00a0", " ");
  };
  expect(heading(uploads)).toBe("Uploading 1 of 4");
  expect(after({ type: "received", id: "0" })).toBe("Uploading 2 of 4");
  expect(after({ type: "all paused" })).toBe("Paused, 1 of 4 uploaded");
  for (const id of ["1", "2", "3"]) after({ type: "received", id });
  expect(after({ type: "ticked" })).toBe("4 files uploaded");
});

test("an upload that lost its connection shows when it will be retried", () => {
  const uploads = reduce(sending([1_000], 10), { type: "failed", id: "0", error: { kind: "offline" } }, 10_000);
  const again = reduce(
    reduce(uploads, { type: "ticked" }, 11_000),
    { type: "failed", id: "0", error: { kind: "offline" } },
    11_000,
  );
  expect(plain(detail(again[0]!, 11_000))).toBe("Connection lost. Retrying in 2 s; progress is kept.");
});

test("the amount sent is shown in the same unit as the total", () => {
  expect(plain(portion(140_400_000, 642_000_000))).toBe("140 of 642 MB");
  expect(plain(portion(1_100_000_000, 1_700_000_000))).toBe("1.1 of 1.7 GB");
  expect(plain(portion(3, 40))).toBe("3 of 40 bytes");
});

test("a new video is named after its file, without the extension", () => {
  expect(videoName("Autumn lecture 4.final.mov")).toBe("Autumn lecture 4.final");
  expect(videoName(".mov")).toBe(".mov");
  expect(videoName("x".repeat(300))).toHaveLength(200);
});
