import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { Readable } from "node:stream";
import type { Page } from "playwright-core";
import { afterAll, test as always, describe, expect } from "vitest";
import { systemClock } from "../../server/src/kernel/clock.ts";
import { type Ffmpeg, findFfmpeg } from "../../server/src/videos/ffmpeg.ts";
import { receiveFile } from "../../server/src/videos/receive-file.ts";
import { expectAccessible, openBrowser, visit } from "../support/browser.ts";
import { testDatabase } from "../support/database.ts";
import { without } from "../support/machine.ts";
import { type PlayableName, playable, videoFolder } from "../support/video-files.ts";
import { openVideoRoom, serveVideos, settled } from "../support/videos.ts";

const test = always.skipIf(without("ffmpeg") || without("chromium"));

const db = await testDatabase();
const inputs = await videoFolder();
const room = await openVideoRoom(db);
const { url } = await serveVideos(room);
const browser = await openBrowser();

async function upload(id: string, name: PlayableName): Promise<void> {
  const bytes = await readFile(await playable(inputs, name));
  await receiveFile(room.uploads, room.space, id, { stream: Readable.from([bytes]), size_bytes: bytes.length, name });
}

async function readyVideo(name: PlayableName, title = "A film"): Promise<string> {
  const { id } = await room.library.create(room.space, { name: title });
  await room.process();
  await upload(id, name);
  await settled(room, id, "ready");
  return id;
}

let first: Promise<string> | undefined;

/** Returns a playable video for tests that do not change it. */
const anyReadyVideo = () => (first ??= readyVideo("plain-720p.mp4"));

/** Serves a page from another origin. */
async function siteOf(html: string): Promise<string> {
  const site = createServer((_request, response) => response.setHeader("content-type", "text/html").end(html));
  await once(site.listen(0, "127.0.0.1"), "listening");
  afterAll(() => site.close());
  return `http://127.0.0.1:${(site.address() as { port: number }).port}/`;
}

const time = (page: Page) => page.evaluate<number>("document.querySelector('video')?.currentTime ?? -1");
/** Returns whether the player shows the paused state. The video element's own state changes slightly earlier. */
const paused = (page: Page) =>
  page.evaluate<boolean>("document.querySelector('media-controller')?.hasAttribute('mediapaused')");

describe("the embed page", () => {
  test.each<PlayableName>(["plain-720p.mp4", "changing-rate.mp4", "turned.mp4", "ten-bit-hdr.mp4"])(
    "plays %s without errors or requests to other origins",
    async (name) => {
      const { page, faults } = await visit(browser, url);
      await page.goto(`/${await readyVideo(name)}?muted=1`);
      await page.getByRole("button", { name: "Play A film" }).click();
      await expect.poll(() => time(page), { timeout: 10_000 }).toBeGreaterThan(0.3);
      expect(faults).toEqual([]);
    },
  );

  test("plays a file that was processed without ffmpeg", async () => {
    const { id } = await room.library.create(room.space, { name: "A film" });
    await room.process(null);
    await upload(id, "plain.mp4");
    await settled(room, id, "ready");
    const { page, faults } = await visit(browser, url);
    await page.goto(`/${id}?muted=1`);
    await page.getByRole("button", { name: "Play A film" }).click();
    await expect.poll(() => time(page), { timeout: 10_000 }).toBeGreaterThan(0.3);
    expect(faults).toEqual([]);
  });

  test("can be used with the keyboard alone", async () => {
    const { page, faults } = await visit(browser, url);
    // The video loops. Otherwise, on a busy machine, it might reach its end and pause before the check.
    await page.goto(`/${await readyVideo("one-keyframe.mp4")}?muted=1&loop=1`);
    await page.keyboard.press("Tab");
    await page.keyboard.press("Enter");
    await expect.poll(() => time(page), { timeout: 10_000 }).toBeGreaterThan(0.1);
    await page.keyboard.press("k");
    await expect.poll(() => paused(page)).toBe(true);
    const before = await time(page);
    await page.keyboard.press("ArrowRight");
    await expect.poll(() => time(page)).toBeGreaterThan(before + 4);
    await page.keyboard.press("Space");
    await expect.poll(() => paused(page)).toBe(false);
    expect(faults).toEqual([]);
  });

  test("loads only its poster and a small script before playback", async () => {
    const id = await anyReadyVideo();
    const { page } = await visit(browser, url);
    const requested: string[] = [];
    page.on("response", (response) => requested.push(new URL(response.url()).pathname));
    await page.goto(`/${id}`, { waitUntil: "networkidle" });
    expect(requested).toHaveLength(3);
    expect(requested).toEqual(
      expect.arrayContaining([
        `/${id}`,
        expect.stringMatching(/^\/embed\/assets\/main-[\w-]+\.js$/),
        `/media/${id}/1/poster.jpg`,
      ]),
    );
  });

  test("shows its poster and a notice without JavaScript", async () => {
    const id = await anyReadyVideo();
    const { page } = await visit(browser, url, { javaScriptEnabled: false });
    await page.goto(`/${id}`);
    const poster = page.locator("#poster");
    expect(await poster.isVisible()).toBe(true);
    expect(await page.content()).toContain("JavaScript is required to play this video.");
  });

  test("plays in an iframe on another site", async () => {
    const id = await anyReadyVideo();
    const { page } = await visit(browser, url);
    const code = `<iframe src="${url}/${id}?autoplay=1" allow="autoplay; fullscreen" width="640" height="360"></iframe>`;
    await page.goto(await siteOf(`<!doctype html><title>A blog</title>${code}`));
    const frame = page.frameLocator("iframe");
    await expect
      .poll(
        () => frame.locator("video").evaluate((video) => (video as unknown as { currentTime: number }).currentTime),
        { timeout: 10_000 },
      )
      .toBeGreaterThan(0.3);
  });

  test.each(["light", "dark"] as const)("is accessible in the %s theme", async (colorScheme) => {
    const id = await anyReadyVideo();
    const { page } = await visit(browser, url, { colorScheme });
    await page.goto(`/${id}?muted=1`);
    await expectAccessible(page);
    await page.getByRole("button", { name: "Play A film" }).click();
    await expect.poll(() => time(page), { timeout: 10_000 }).toBeGreaterThan(0.1);
    await expectAccessible(page);
  });
});

test("a new video's embed page shows upload and processing progress, then plays the video", async () => {
  const { id } = await room.library.create(room.space, { name: "A film" });
  const { page, faults } = await visit(browser, url);
  await page.goto(`/${id}`);
  await page.getByRole("heading", { name: "No video yet" }).waitFor();
  await expectAccessible(page);
  const gate = Promise.withResolvers<void>();
  const real = (await findFfmpeg(systemClock))!;
  const ffmpeg: Ffmpeg = {
    ...real,
    async run(args, options) {
      await gate.promise;
      return real.run(args, options);
    },
  };
  await room.process(ffmpeg);
  await upload(id, "plain.mp4");
  await page.getByRole("heading", { name: "Processing video" }).waitFor();
  await db.run({ name: "test_progress", text: "update videos set progress = 42 where id = $1" }, [id]);
  await page.getByText("42%").waitFor();
  await expectAccessible(page);
  gate.resolve();
  await page.getByRole("button", { name: "Play A film" }).waitFor();
  expect(faults).toEqual([]);
});
