import { stat } from "node:fs/promises";
import { basename } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectAccessible, expectFitsEverywhere, openBrowser, property, visitAsOwner } from "../support/browser.ts";
import { without } from "../support/machine.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { playable, unplayable, videoFolder } from "../support/video-files.ts";

const READY_MS = 60_000;

describe.skipIf(without("chromium") || without("ffmpeg"))("the videos pages", async () => {
  const browser = await openBrowser();
  const folder = await videoFolder();
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server?.remove());

  /** Opens the videos page with a limited upload speed, in a browser without file handles, like Firefox or Safari. */
  async function videosPage(bytesPerSecond = -1) {
    const visit = await visitAsOwner(browser, server);
    const { page } = visit;
    await page.addInitScript("delete window.showOpenFilePicker");
    await page.reload();
    await page.getByRole("button", { name: "Upload", exact: true }).waitFor();
    return { ...visit, wire: await network(page, bytesPerSecond) };
  }

  test("two files are uploaded at once, processed and played on their pages, and a new file replaces an old one", {
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
    await panel.getByText("2 files uploaded").waitFor();
    expect(await panel.getByText("Uploaded. Processing started.").count()).toBe(2);
    await panel.getByRole("button", { name: "Close" }).click();

    const row = page.getByRole("row", { name: /high-bitrate/ });
    await row.getByText("Ready").waitFor({ timeout: READY_MS });
    await expect.poll(() => property(row.locator("img"), "naturalWidth"), { timeout: 15_000 }).toBeGreaterThan(0);
    await row.getByRole("link").click();
    await page.getByRole("heading", { name: "high-bitrate", level: 1 }).waitFor();
    await expectPlays(page);
    await expectAccessible(page);

    const resolution = page.getByRole("definition").filter({ hasText: "×" });
    expect(await resolution.innerText()).toBe("640\u00a0×\u00a0360");
    const another = await playable(folder, "plain.mp4");
    await choose(page, page.getByRole("button", { name: "Replace file" }), [another]);
    await expect.poll(() => resolution.innerText(), { timeout: READY_MS }).toBe("320\u00a0×\u00a0180");
    await expectPlays(page);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("a paused upload survives a reload and continues once its file is chosen again", {
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
    await panel.getByText(/Interrupted at .* Choose high-bitrate.mp4 again/).waitFor();
    expect(await share()).toBe(before);

    // A different file with the same name is rejected.
    await choose(page, panel.getByRole("button", { name: "Choose file" }), [
      { name: "high-bitrate.mp4", mimeType: "video/mp4", buffer: Buffer.from("another file") },
    ]);
    await page.getByText("This file does not match the interrupted upload.").waitFor();

    await wire.free();
    let sentAgain = 0;
    page.on("request", async (request) => {
      if (request.method() === "PATCH") sentAgain += Number((await request.allHeaders())["content-length"] ?? 0);
    });
    await choose(page, panel.getByRole("button", { name: "Choose file" }), [file]);
    await panel.getByText("Uploaded. Processing started.").waitFor();
    expect(sentAgain).toBeGreaterThan(0);
    expect(sentAgain).toBeLessThan(size * (1 - before / 200));
    await page.context().close();
  });

  test("an upload whose server is killed shows a countdown and continues from the last byte on disk", {
    timeout: 120_000,
  }, async () => {
    const { page, wire } = await videosPage(300_000);
    await choose(page, page.getByRole("button", { name: "Upload", exact: true }), [
      await playable(folder, "high-bitrate.mp4"),
    ]);
    const panel = page.getByRole("region", { name: "Uploads" });
    await panel.getByText(/[\d.]+\skB\/s/).waitFor();
    await server.kill();
    await panel.getByText(/^Connection lost\. Retrying in \d+\ss; progress is kept\.$/).waitFor();
    const offsets: number[] = [];
    page.on("response", async (response) => {
      if (response.request().method() === "HEAD")
        offsets.push(Number((await response.allHeaders())["upload-offset"] ?? 0));
    });
    await server.start();
    await wire.free();
    await panel.getByText("Uploaded. Processing started.").waitFor({ timeout: 40_000 });
    expect(Math.max(...offsets)).toBeGreaterThan(100_000);
    await page.context().close();
  });

  test("canceling an upload deletes it and the video created for it", async () => {
    const { page } = await videosPage(100_000);
    const file = await playable(folder, "plain-720p.mp4");
    await choose(page, page.getByRole("button", { name: "Upload", exact: true }), [file]);
    const panel = page.getByRole("region", { name: "Uploads" });
    await panel.getByText(/kB\/s/).waitFor();
    await panel.getByRole("button", { name: `Cancel ${basename(file)}` }).click();
    await page.getByText("Upload canceled and video deleted: plain-720p.mp4").waitFor();
    await panel.waitFor({ state: "detached" });
    await page.context().close();
  });

  test("a file that is not a video is skipped with a notice", async () => {
    const { page } = await videosPage();
    await choose(page, page.getByRole("button", { name: "Upload", exact: true }), [
      { name: "notes.pdf", mimeType: "application/pdf", buffer: Buffer.from("%PDF") },
    ]);
    await page.getByText("Skipped notes.pdf, which is not a video").waitFor();
    await page.context().close();
  });

  test("files dropped anywhere on the page are uploaded, and their uploads resume with one click after a reload", async () => {
    const { page, wire } = await videosPage(300_000);
    const drag = await dragFile(page, await playable(folder, "high-bitrate.mp4"));
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
    await panel.getByText("Uploaded. Processing started.").waitFor();
    await page.context().close();
  });

  test("a video without a file can be created, renamed, annotated, and deleted", async () => {
    const { page, faults } = await videosPage();
    await page.getByRole("button", { name: "Create video" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Name").fill("Placeholder for the donor film");
    await dialog.getByRole("button", { name: "Create" }).click();
    await page.getByRole("heading", { name: "Placeholder for the donor film", level: 1 }).waitFor();
    await page.getByText("No file yet").first().waitFor();
    await page.getByRole("link", { name: "video.created" }).waitFor();
    await expectAccessible(page);

    await chooseAction(page, "Rename");
    await dialog.getByLabel("Name").fill("Donor film <b>2026</b>");
    await dialog.getByRole("button", { name: "Rename" }).click();
    await page.getByRole("heading", { name: "Donor film <b>2026</b>", level: 1 }).waitFor();

    await page.getByRole("button", { name: "Edit metadata" }).click();
    await page.getByLabel("Key 1").fill("course");
    await page.getByLabel("Value 1").fill("Autumn 2026");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByRole("definition").filter({ hasText: "Autumn 2026" }).waitFor();

    await page.getByRole("button", { name: "Copy embed code" }).click();
    const copied = await page.evaluate("navigator.clipboard.readText()");
    expect(copied).toContain('title="Donor film &lt;b>2026&lt;/b>"');
    expect(copied).toContain(`src="${server.url}/`);

    await chooseAction(page, "Delete");
    await dialog.getByText("No webhook is subscribed to video.deleted.").waitFor();
    await expectAccessible(page);
    await dialog.getByRole("button", { name: "Delete" }).click();
    await page.getByRole("heading", { name: "Videos", level: 1 }).waitFor();
    await page.getByText("“Donor film <b>2026</b>” deleted").waitFor();
    await page.getByLabel("Search by name or ID").fill("Donor film");
    await page.getByText("No matching videos").waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("the deletion dialog shows how many webhooks will be notified", async () => {
    const key = await server.key();
    const { page } = await videosPage();
    for (const events of [["video.deleted"], ["video.created", "video.deleted"], ["video.created"]])
      await call(server, key, "/v1/webhooks", { url: "http://127.0.0.1:65000/", events });
    const { id } = await call(server, key, "/v1/videos", { name: "Listened to" });
    await page.goto(`/dashboard/videos/${id}`);
    await chooseAction(page, "Delete");
    await page.getByText("Embeds stop playing immediately. video.deleted is sent to 2\u00a0webhooks.").waitFor();
    await page.context().close();
  });

  test("a deleted video's event data can be erased, and every page shows that it has been erased", async () => {
    const key = await server.key();
    await call(server, key, "/v1/webhooks", { url: "http://127.0.0.1:65000/erased", events: ["video.deleted"] });
    const { id } = await call(server, key, "/v1/videos", { name: "Ada's film" });
    await fetch(`${server.url}/v1/videos/${id}`, { method: "DELETE", headers: { authorization: `Bearer ${key}` } });
    const { page } = await videosPage();
    await page.goto(`/dashboard/videos/${id}`);
    await page.getByRole("button", { name: "Erase event data" }).click();
    const dialog = page.getByRole("dialog");
    await expectAccessible(page);
    const erase = dialog.getByRole("button", { name: "Erase", exact: true });
    await erase.click();
    await dialog.getByText("of this video are pending").or(dialog.getByText("of this video is pending")).waitFor();
    // A cancellation does not affect a delivery that is being sent.
    const open = async () => {
      await call(server, key, "/v1/cancellations", { video: id });
      const headers = { authorization: `Bearer ${key}` };
      const response = await fetch(`${server.url}/v1/deliveries?video=${id}&status=pending`, { headers });
      return ((await response.json()) as { data: unknown[] }).data.length;
    };
    await expect.poll(open, { timeout: 30_000 }).toBe(0);
    await erase.click();
    await page.getByText("Event data erased").first().waitFor();
    await expectFitsEverywhere(page);
    await page.getByRole("link", { name: "View its events" }).click();
    await page.getByRole("link", { name: "video.deleted" }).locator("visible=true").first().click();
    await page.getByText("The event and its delivery log are kept").waitFor();
    await expectAccessible(page);
    await page.getByRole("region", { name: "Deliveries" }).getByRole("link").locator("visible=true").first().click();
    await page.getByText("The request and response data was erased").waitFor();
    expect(await page.getByText("Ada's film").count()).toBe(0);
    await expectFitsEverywhere(page);
    await page.context().close();
  });

  test("if a video is deleted elsewhere while its page is open, the page links to the video's events", async () => {
    const key = await server.key();
    const { id } = await call(server, key, "/v1/videos", { name: "Short-lived" });
    const { page } = await videosPage();
    await page.goto(`/dashboard/videos/${id}`);
    await page.getByRole("heading", { name: "Short-lived", level: 1 }).waitFor();
    await fetch(`${server.url}/v1/videos/${id}`, { method: "DELETE", headers: { authorization: `Bearer ${key}` } });
    await page.getByText("Video not found").waitFor();
    await expectAccessible(page);
    await page.getByRole("link", { name: "View its events" }).click();
    await page.getByText("video.deleted").locator("visible=true").first().waitFor();
    await page.context().close();
  });

  test("a file that cannot be processed shows the reason in the list and on its page", {
    timeout: 120_000,
  }, async () => {
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

  test("the / key focuses the search box, and the search text is kept in the URL", async () => {
    const key = await server.key();
    await call(server, key, "/v1/videos", { name: "Harbour at dawn, timelapse" });
    const { page } = await videosPage();
    await page.keyboard.press("/");
    await page.keyboard.type("harbour");
    await page.getByRole("link", { name: "Harbour at dawn, timelapse" }).waitFor();
    await expect.poll(() => page.url(), { timeout: 5_000 }).toContain("q=harbour");
    await page.reload();
    await page.getByRole("link", { name: "Harbour at dawn, timelapse" }).waitFor();
    expect(await page.getByLabel("Search by name or ID").inputValue()).toBe("harbour");
    await page.context().close();
  });

  test("the list and a video's page are accessible and fit every width in both themes", {
    timeout: 120_000,
  }, async () => {
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

/** Clicks a button that opens the file dialog, and chooses files. */
async function choose(page: Page, button: Locator, files: Chosen): Promise<void> {
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), button.click()]);
  await chooser.setFiles(files);
}

async function chooseAction(page: Page, name: string): Promise<void> {
  await page.getByRole("button", { name: "More actions" }).click();
  await page.getByRole("menuitem", { name }).click();
}

/** Limits the page's upload speed, in bytes per second, until `free` is called. */
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

/** Plays the video in the embedded player and waits until the time advances. */
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

/** Drags a real file over the middle of the page. */
async function dragFile(page: Page, file: string) {
  const devtools = await page.context().newCDPSession(page);
  const data = { items: [], files: [file], dragOperationsMask: 1 };
  return async (type: "dragEnter" | "dragOver" | "drop") => {
    await devtools.send("Input.dispatchDragEvent", { type, x: 700, y: 400, data });
  };
}
