import { stat } from "node:fs/promises";
import { basename } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectAccessible, expectFitsEverywhere, openBrowser, property, visitAsOwner } from "../support/browser.ts";
import { without } from "../support/machine.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { playable, unplayable, videoFolder } from "../support/video-files.ts";

const READY_MS = 60_000;

describe.skipIf(without("chromium") || without("ffmpeg"))("videos in the dashboard", async () => {
  const browser = await openBrowser();
  const folder = await videoFolder();
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server?.remove());

  /** The videos' page of a person whose browser gives no file handles, as Firefox and Safari; `bytesPerSecond` up. */
  async function videosPage(bytesPerSecond = -1) {
    const visiting = await visitAsOwner(browser, server);
    const { page } = visiting;
    await page.addInitScript("delete window.showOpenFilePicker");
    await page.reload();
    await page.getByRole("button", { name: "Upload", exact: true }).waitFor();
    return { ...visiting, wire: await network(page, bytesPerSecond) };
  }

  test("two files are uploaded at once, processed, and play in their detail pages; a new file takes the old one's place", {
    timeout: 120_000,
  }, async () => {
    const { page, faults, wire } = await videosPage(400_000);
    const files = [await playable(folder, "high-bitrate.mp4"), await playable(folder, "plain-720p.mp4")];
    await choose(page, page.getByRole("button", { name: "Upload", exact: true }), files);
    const panel = page.getByRole("region", { name: "Uploads" });
    await panel.getByText("Uploading 1 of 2").waitFor();
    const bar = panel.getByRole("progressbar", { name: "high-bitrate.mp4" });
    await expect
      .poll(async () => Number(await bar.getAttribute("aria-valuenow")), { timeout: 15_000 })
      .toBeGreaterThan(5);
    await panel
      .getByText(/of [\d.]+\s[kM]B, [\d.]+\s[kM]B\/s/)
      .first()
      .waitFor();
    await expectAccessible(page);
    await wire.free();
    await panel.getByText("2 files received").waitFor();
    expect(await panel.getByText("Received. Processing has begun.").count()).toBe(2);
    await panel.getByRole("button", { name: "Close" }).click();

    const row = page.getByRole("row", { name: /high-bitrate/ });
    await row.getByText("Ready").waitFor({ timeout: READY_MS });
    await expect.poll(() => property(row.locator("img"), "naturalWidth"), { timeout: 15_000 }).toBeGreaterThan(0);
    await row.getByRole("link").click();
    await page.getByRole("heading", { name: "high-bitrate", level: 1 }).waitFor();
    await expectPlays(page);
    await expectAccessible(page);

    const picture = page.getByRole("definition").filter({ hasText: "×" });
    expect(await picture.innerText()).toBe("640\u00a0×\u00a0360");
    const another = await playable(folder, "plain.mp4");
    await choose(page, page.getByRole("button", { name: "Replace file" }), [another]);
    await expect.poll(() => picture.innerText(), { timeout: READY_MS }).toBe("320\u00a0×\u00a0180");
    await expectPlays(page);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("a paused upload stays where it is; after a reload the file is chosen again and it goes on from there", {
    timeout: 120_000,
  }, async () => {
    const { page, wire } = await videosPage(300_000);
    const file = await playable(folder, "high-bitrate.mp4");
    const { size } = await stat(file);
    await choose(page, page.getByRole("button", { name: "Upload", exact: true }), [file]);
    const panel = page.getByRole("region", { name: "Uploads" });
    const bar = panel.getByRole("progressbar");
    const share = async () => Number(await bar.getAttribute("aria-valuenow"));
    await expect.poll(share, { timeout: 15_000 }).toBeGreaterThan(20);
    await panel.getByRole("button", { name: "Pause high-bitrate.mp4" }).click();
    await panel.getByText(/^Paused at \d/).waitFor();
    const before = await share();

    await page.reload();
    await panel.getByText("1 upload interrupted").waitFor();
    await panel.getByText(/The page was closed at .* Choose high-bitrate.mp4 once more/).waitFor();
    expect(await share()).toBe(before);

    // Another file of the same name is not taken for it.
    await choose(page, panel.getByRole("button", { name: "Choose file" }), [
      { name: "high-bitrate.mp4", mimeType: "video/mp4", buffer: Buffer.from("another file") },
    ]);
    await page.getByText("That is another file, or it was changed.").waitFor();

    await wire.free();
    let sentAgain = 0;
    page.on("request", async (request) => {
      if (request.method() === "PATCH") sentAgain += Number((await request.allHeaders())["content-length"] ?? 0);
    });
    await choose(page, panel.getByRole("button", { name: "Choose file" }), [file]);
    await panel.getByText("Received. Processing has begun.").waitFor();
    expect(sentAgain).toBeGreaterThan(0);
    expect(sentAgain).toBeLessThan(size * (1 - before / 200));
    await page.context().close();
  });

  test("the server is killed in the middle: the panel says so, counts down, and goes on from the byte on disk", {
    timeout: 120_000,
  }, async () => {
    const { page, wire } = await videosPage(300_000);
    await choose(page, page.getByRole("button", { name: "Upload", exact: true }), [
      await playable(folder, "high-bitrate.mp4"),
    ]);
    const panel = page.getByRole("region", { name: "Uploads" });
    await panel.getByText(/[\d.]+\skB\/s/).waitFor();
    await server.kill();
    await panel.getByText(/^Connection lost\. Tries again in \d+\ss; nothing is lost\.$/).waitFor();
    const offsets: number[] = [];
    page.on("response", async (response) => {
      if (response.request().method() === "HEAD")
        offsets.push(Number((await response.allHeaders())["upload-offset"] ?? 0));
    });
    await server.start();
    await wire.free();
    await panel.getByText("Received. Processing has begun.").waitFor({ timeout: 40_000 });
    expect(Math.max(...offsets)).toBeGreaterThan(100_000);
    await page.context().close();
  });

  test("canceling removes the upload and the video that was made for it", async () => {
    const { page } = await videosPage(100_000);
    const file = await playable(folder, "plain-720p.mp4");
    await choose(page, page.getByRole("button", { name: "Upload", exact: true }), [file]);
    const panel = page.getByRole("region", { name: "Uploads" });
    await panel.getByText(/kB\/s/).waitFor();
    await panel.getByRole("button", { name: `Cancel ${basename(file)}` }).click();
    await page.getByText("plain-720p.mp4 and its video were removed.").waitFor();
    await panel.waitFor({ state: "detached" });
    await page.context().close();
  });

  test("what is not a video is left out, and said so", async () => {
    const { page } = await videosPage();
    await choose(page, page.getByRole("button", { name: "Upload", exact: true }), [
      { name: "notes.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF") },
    ]);
    await page.getByText("notes.pdf is not a video and was left out.").waitFor();
    await page.context().close();
  });

  test("files dropped anywhere are uploaded; after a reload one click goes on with them", async () => {
    const { page, wire } = await videosPage(300_000);
    const drag = await dragging(page, await playable(folder, "high-bitrate.mp4"));
    await drag("dragEnter");
    await drag("dragOver");
    await page.getByText("Drop to upload").waitFor();
    await drag("drop");
    const panel = page.getByRole("region", { name: "Uploads" });
    await panel.getByText(/[\d.]+\skB\/s/).waitFor();
    expect(await page.getByText("Drop to upload").count()).toBe(0);
    await panel.getByRole("button", { name: "Pause high-bitrate.mp4" }).click();
    await panel.getByText(/^Paused at \d/).waitFor();
    await page.reload();
    await wire.free();
    await panel.getByRole("button", { name: "Resume" }).click();
    await panel.getByText("Received. Processing has begun.").waitFor();
    await page.context().close();
  });

  test("an empty video is made, renamed, described and deleted, each consequence named before", async () => {
    const { page, faults } = await videosPage();
    await page.getByRole("button", { name: "New empty video" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("Placeholder for the donor film");
    await dialog.getByRole("button", { name: "Create" }).click();
    await page.getByRole("heading", { name: "Placeholder for the donor film", level: 1 }).waitFor();
    await page.getByText("No file yet").first().waitFor();
    await page.getByRole("link", { name: "video.created" }).waitFor();
    await expectAccessible(page);

    await more(page, "Rename");
    await dialog.getByLabel("Name").fill("Donor film <b>2026</b>");
    await dialog.getByRole("button", { name: "Rename" }).click();
    await page.getByRole("heading", { name: "Donor film <b>2026</b>", level: 1 }).waitFor();

    await page.getByRole("button", { name: "Edit the metadata" }).click();
    await page.getByLabel("Key 1").fill("course");
    await page.getByLabel("Value 1").fill("Autumn 2026");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("definition").filter({ hasText: "Autumn 2026" }).waitFor();

    await page.getByRole("button", { name: "Copy embed code" }).click();
    const copied = await page.evaluate("navigator.clipboard.readText()");
    expect(copied).toContain('title="Donor film &lt;b>2026&lt;/b>"');
    expect(copied).toContain(`src="${server.url}/`);

    await more(page, "Delete");
    await dialog.getByText("no webhook has chosen video.deleted, so none is told").waitFor();
    await expectAccessible(page);
    await dialog.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("heading", { name: "Videos", level: 1 }).waitFor();
    await page.getByText("Donor film <b>2026</b> was deleted.").waitFor();
    await page.getByLabel("Find by name or id").fill("Donor film");
    await page.getByText("No video matches").waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("deleting says how many webhooks are told", async () => {
    const key = await server.key();
    const { page } = await videosPage();
    for (const events of [["video.deleted"], ["video.created", "video.deleted"], ["video.created"]])
      await call(server, key, "/v1/webhooks", { url: "http://127.0.0.1:65000/", events });
    const { id } = await call(server, key, "/v1/videos", { name: "Listened to" });
    await page.goto(`/dashboard/videos/${id}`);
    await more(page, "Delete");
    await page.getByText("The embed stops playing at once; video.deleted goes to 2\u00a0webhooks.").waitFor();
    await page.context().close();
  });

  test("what a deleted video's events said is erased after a question, and every page says so", async () => {
    const key = await server.key();
    await call(server, key, "/v1/webhooks", { url: "http://127.0.0.1:65000/erased", events: ["video.deleted"] });
    const { id } = await call(server, key, "/v1/videos", { name: "Ada's film" });
    await fetch(`${server.url}/v1/videos/${id}`, { method: "DELETE", headers: { authorization: `Bearer ${key}` } });
    const { page } = await videosPage();
    await page.goto(`/dashboard/videos/${id}`);
    await page.getByRole("button", { name: "Erase what its events said" }).click();
    const dialog = page.getByRole("dialog");
    await expectAccessible(page);
    const erase = dialog.getByRole("button", { name: "Erase", exact: true });
    await erase.click();
    await dialog.getByText("of this video are open").or(dialog.getByText("of this video is open")).waitFor();
    // One that is being sent is left alone by a cancellation.
    const open = async () => {
      await call(server, key, "/v1/cancellations", { video: id });
      const headers = { authorization: `Bearer ${key}` };
      const response = await fetch(`${server.url}/v1/deliveries?video=${id}&status=pending`, { headers });
      return ((await response.json()) as { data: unknown[] }).data.length;
    };
    await expect.poll(open, { timeout: 30_000 }).toBe(0);
    await erase.click();
    await page.getByText("What its events said was erased", { exact: false }).first().waitFor();
    await expectFitsEverywhere(page);
    await page.getByRole("link", { name: `Events of ${id}` }).click();
    await page.getByRole("link", { name: "video.deleted" }).locator("visible=true").first().click();
    await page.getByText("The event and its delivery log are kept").waitFor();
    await expectAccessible(page);
    await page.getByRole("region", { name: "Deliveries" }).getByRole("link").locator("visible=true").first().click();
    await page.getByText("The request and response data was erased").waitFor();
    expect(await page.getByText("Ada's film").count()).toBe(0);
    await expectFitsEverywhere(page);
    await page.context().close();
  });

  test("a video that somebody else deletes says so on its open page, and leads to its events", async () => {
    const key = await server.key();
    const { id } = await call(server, key, "/v1/videos", { name: "Short-lived" });
    const { page } = await videosPage();
    await page.goto(`/dashboard/videos/${id}`);
    await page.getByRole("heading", { name: "Short-lived", level: 1 }).waitFor();
    await fetch(`${server.url}/v1/videos/${id}`, { method: "DELETE", headers: { authorization: `Bearer ${key}` } });
    await page.getByText("There is no such video").waitFor();
    await expectAccessible(page);
    await page.getByRole("link", { name: `Events of ${id}` }).click();
    await page.getByText("video.deleted").locator("visible=true").first().waitFor();
    await page.context().close();
  });

  test("a file that cannot play says why, in the list and in its page", { timeout: 120_000 }, async () => {
    const { page } = await videosPage();
    await choose(page, page.getByRole("button", { name: "Upload", exact: true }), [
      await unplayable(folder, "text.mp4"),
    ]);
    const row = page.getByRole("row", { name: /^text/ });
    await row.getByText("Failed").waitFor({ timeout: READY_MS });
    await row.getByRole("link").click();
    const alert = page.getByRole("alert");
    await alert.waitFor();
    expect((await alert.innerText()).length).toBeGreaterThan(40);
    await page.getByRole("button", { name: "Upload another file" }).waitFor();
    await page.context().close();
  });

  test("the search is reached by / and keeps itself in the address", async () => {
    const key = await server.key();
    await call(server, key, "/v1/videos", { name: "Harbour at dawn, timelapse" });
    const { page } = await videosPage();
    await page.keyboard.press("/");
    await page.keyboard.type("harbour");
    await page.getByRole("link", { name: "Harbour at dawn, timelapse" }).waitFor();
    await expect.poll(() => page.url(), { timeout: 5_000 }).toContain("q=harbour");
    await page.reload();
    await page.getByRole("link", { name: "Harbour at dawn, timelapse" }).waitFor();
    expect(await page.getByLabel("Find by name or id").inputValue()).toBe("harbour");
    await page.context().close();
  });

  test("every size and both themes: nothing sideways, nobody kept out", { timeout: 120_000 }, async () => {
    const key = await server.key();
    const { id } = await call(server, key, "/v1/videos", { name: `A long name ${"that goes on ".repeat(14)}` });
    for (const colorScheme of ["light", "dark"] as const) {
      const { page } = await visitAsOwner(browser, server, { colorScheme });
      for (const path of ["/dashboard/videos", `/dashboard/videos/${id}`]) {
        await page.goto(path);
        await page.getByText("A long name").first().waitFor();
        await expectFitsEverywhere(page);
      }
      await page.context().close();
    }
  });
});

type Chosen = Parameters<Locator["setInputFiles"]>[0];

/** Clicks a button that opens the browser's file dialog, and chooses there. */
async function choose(page: Page, button: Locator, files: Chosen): Promise<void> {
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), button.click()]);
  await chooser.setFiles(files);
}

async function more(page: Page, word: string): Promise<void> {
  await page.getByRole("button", { name: "More about this video" }).click();
  await page.getByRole("menuitem", { name: word }).click();
}

/** The page's network as it is for many people: so many bytes per second up, until it is freed. */
async function network(page: Page, uploadThroughput: number): Promise<{ free(): Promise<void> }> {
  const devtools = await page.context().newCDPSession(page);
  const emulate = async (uploadThroughput: number) => {
    const conditions = { offline: false, latency: 0, downloadThroughput: -1, uploadThroughput };
    await devtools.send("Network.emulateNetworkConditions", conditions);
  };
  await devtools.send("Network.enable");
  await emulate(uploadThroughput);
  return { free: () => emulate(-1) };
}

/** Presses play in the embed page within the detail page, and watches the time move. */
async function expectPlays(page: Page): Promise<void> {
  const frame = page.frameLocator("iframe[title^='Player:']");
  await frame.locator("media-play-button, button").first().click();
  const time = () => property(frame.locator("video"), "currentTime");
  await expect.poll(time, { timeout: 20_000 }).toBeGreaterThan(0.3);
}

async function call(server: TestServer, key: string, path: string, body: unknown): Promise<{ id: string }> {
  const response = await fetch(server.url + path, {
    method: "POST",
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  expect(response.status).toBe(201);
  return (await response.json()) as { id: string };
}

/** Moves a real file over the middle of the page, as a hand does. */
async function dragging(page: Page, file: string) {
  const devtools = await page.context().newCDPSession(page);
  const data = { items: [], files: [file], dragOperationsMask: 1 };
  return async (type: "dragEnter" | "dragOver" | "drop") => {
    await devtools.send("Input.dispatchDragEvent", { type, x: 700, y: 400, data });
  };
}
