import { expect, test } from "vitest";
import type { Video, Webhook } from "../api/types.ts";
import { embedCode, titleOf, webhooksFor } from "./video-queries.ts";

const video: Video = {
  id: "k1iFD7h4rW",
  object: "video",
  created: 1643723737,
  embed_url: "https://videos.example.com/k1iFD7h4rW",
  last_upload: null,
  name: null,
  status: "waiting",
  progress: null,
  error: null,
  duration: null,
  width: null,
  height: null,
  size: null,
  poster_url: null,
  playback_url: null,
  renditions: [],
  metadata: {},
};

test("the embed code has the video's aspect ratio, or 16:9 until the ratio is known", () => {
  expect(embedCode(video)).toContain('src="https://videos.example.com/k1iFD7h4rW" title="k1iFD7h4rW"');
  expect(embedCode(video)).toContain("aspect-ratio:16/9");
  expect(embedCode({ ...video, width: 1080, height: 1920 })).toContain("aspect-ratio:1080/1920");
});

test("the embed code escapes the name", () => {
  const code = embedCode({ ...video, name: `"><script>alert(1)</script> & Söhne` });
  expect(code).toContain('title="&quot;>&lt;script>alert(1)&lt;/script> &amp; Söhne"');
  expect(code.match(/<script/g)).toBeNull();
});

test("a video without a name has its ID as the title", () => {
  expect([titleOf(video), titleOf({ ...video, name: "First" })]).toEqual(["k1iFD7h4rW", "First"]);
});

test("webhooksFor counts the webhooks that are subscribed to the event type", () => {
  const webhook = (...events: string[]) => ({ events }) as Webhook;
  const webhooks = [webhook("video.deleted"), webhook("video.created"), webhook("video.created", "video.deleted")];
  expect(webhooksFor(webhooks, "video.deleted")).toBe(2);
});
