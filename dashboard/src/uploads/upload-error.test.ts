import { expect, test } from "vitest";
import { looksLikeVideo } from "./picked-files.ts";
import { type Fault, verdict } from "./upload-error.ts";

test("a film is known by its type or, where the system names none, by its ending", () => {
  const is = (name: string, type = "") => looksLikeVideo({ name, type });
  expect([is("a.mkv"), is("a", "video/mp4"), is("LECTURE.MOV"), is("moving.gif", "image/gif")]).toEqual([
    true,
    true,
    true,
    true,
  ]);
  expect([is("notes.pdf", "application/pdf"), is("mp4"), is("song.mp3", "audio/mpeg")]).toEqual([false, false, false]);
});

const answered = (status: number, more: Partial<Extract<Fault, { kind: "answered" }>> = {}): Fault => ({
  kind: "answered",
  status,
  detail: null,
  retryAfter_s: null,
  ...more,
});

test("what passes is tried again, what does not is given up, each in its own words", () => {
  const words = (fault: Fault) => [verdict(fault, 1).again, verdict(fault, 1).why];
  expect(words(answered(507))).toEqual([true, "The server's disk is full."]);
  expect(words(answered(502))).toEqual([true, "The server answered 502."]);
  expect(words(answered(404))).toEqual([false, "The video was deleted, so there is nothing to upload to."]);
  expect(words(answered(413, { detail: "At most 20 GB." }))).toEqual([false, "At most 20 GB."]);
  expect(words({ kind: "signed out" })).toEqual([
    false,
    "You are signed out. Sign in, then try again; nothing is lost.",
  ]);
});

test("a server that asks for a pause gets at least that, and a full disk a minute", () => {
  expect(verdict(answered(429, { retryAfter_s: 40 }), 1)).toMatchObject({ after_ms: 40_000 });
  expect(verdict(answered(507), 1)).toMatchObject({ after_ms: 60_000 });
});

test("waiting doubles, and ends at a minute", () => {
  const waits = [1, 2, 3, 6, 7, 50].map((tries) => verdict({ kind: "offline" }, tries).after_ms);
  expect(waits).toEqual([1_000, 2_000, 4_000, 32_000, 60_000, 60_000]);
});

test("a token that ran out is renewed at once; refused again, with patience", () => {
  expect(verdict({ kind: "token expired" }, 1)).toMatchObject({ again: true, after_ms: 0 });
  expect(verdict({ kind: "token expired" }, 2)).toMatchObject({ again: true, after_ms: 2_000 });
});
