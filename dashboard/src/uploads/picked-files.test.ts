import { expect, test } from "vitest";
import { looksLikeVideo } from "./picked-files.ts";

test("a video file is recognized by its type, or by its extension if it has no type", () => {
  const is = (name: string, type = "") => looksLikeVideo({ name, type });
  const videos = [is("a.mkv"), is("a", "video/mp4"), is("LECTURE.MOV"), is("moving.gif", "image/gif")];
  expect(videos).toEqual([true, true, true, true]);
  expect([is("notes.pdf", "application/pdf"), is("mp4"), is("song.mp3", "audio/mpeg")]).toEqual([false, false, false]);
});
