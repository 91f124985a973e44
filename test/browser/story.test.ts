import { verify } from "@mave/webhooks";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { expectAccessible, openBrowser, visitAsOwner } from "../support/browser.ts";
import { without } from "../support/machine.ts";
import { startServer, type TestServer } from "../support/server.ts";
import { playable, videoFolder } from "../support/video-files.ts";
import { startReceiver } from "./receiver.ts";

const PROCESSED_MS = 60_000;

describe.skipIf(without("chromium") || without("ffmpeg"))("the dashboard", async () => {
  const browser = await openBrowser();
  const folder = await videoFolder();
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server?.remove());

  test("leads from the first run to a verified webhook request for a real video, and sends that request again on demand", {
    timeout: 120_000,
  }, async () => {
    const receiver = await startReceiver();
    const { page, faults } = await visitAsOwner(browser, server);

    await page.getByRole("link", { name: "Webhooks" }).click();
    await page.getByRole("heading", { name: "No webhooks yet" }).waitFor();
    for (const language of ["Python", "Go", "PHP", "Node"]) {
      await page.getByRole("button", { name: language, exact: true }).click();
      await page
        .getByRole("region", { name: `${language} receiver` })
        .getByText("WEBHOOK_SECRET")
        .first()
        .waitFor();
    }
    await expectAccessible(page);

    await page.getByRole("link", { name: "Create webhook" }).click();
    await page.getByLabel("URL").fill(receiver.url);
    await page.getByLabel("Name").fill("Course catalogue");
    await page.getByText(/^\d+ more$/).click();
    await page.getByRole("checkbox", { name: /video\.processing/ }).check();
    await expectAccessible(page);
    await page.getByRole("button", { name: "Create webhook" }).click();
    await page.getByRole("heading", { name: "Webhook created" }).waitFor();
    await page.getByRole("button", { name: "Copy secret" }).click();
    const secret = String(await page.evaluate("navigator.clipboard.readText()"));
    expect(secret).toMatch(/^whsec_[A-Za-z0-9+/]{32}$/);

    await page.getByRole("button", { name: "Send test" }).click();
    await page.getByText(/The receiver responded with 200 OK/).waitFor();
    await expectAccessible(page);
    const [first] = receiver.received;
    expect(await verify(first!.body, first!.headers, secret)).toMatchObject({ type: "webhook.test" });

    await page.getByRole("link", { name: "Videos" }).click();
    await page.addInitScript("delete window.showOpenFilePicker");
    await page.reload();
    const [chooser] = await Promise.all([
      page.waitForEvent("filechooser"),
      page.getByRole("button", { name: "Upload", exact: true }).click(),
    ]);
    await chooser.setFiles([await playable(folder, "plain.mp4")]);
    const types = () => receiver.received.map(({ event }) => event.type);
    const story = ["webhook.test", "video.created", "video.processing", "video.uploaded"];
    await expect.poll(types, { timeout: PROCESSED_MS }).toEqual(story);
    for (const { body, headers } of receiver.received) await verify(body, headers, secret);

    await page.getByRole("link", { name: "Deliveries" }).click();
    await page
      .getByRole("row", { name: /video\.uploaded/ })
      .getByText("Succeeded")
      .waitFor();
    await page
      .getByRole("row", { name: /video\.uploaded/ })
      .getByRole("link")
      .click();
    await page.getByRole("heading", { name: "video.uploaded to Course catalogue" }).waitFor();
    await page.getByText("First byte").waitFor();
    await page.getByRole("heading", { name: "Delivery order" }).waitFor();
    await page.getByRole("button", { name: "Request", exact: true }).click();
    await page.getByRole("region", { name: "Request headers" }).getByText("Mave-Signature").waitFor();
    await expectAccessible(page);

    await page.getByRole("button", { name: "Send again", exact: true }).click();
    await page.getByRole("dialog").getByText("The event ID stays the same").waitFor();
    await expectAccessible(page);
    await page.getByRole("dialog").getByRole("button", { name: "Send again" }).click();
    await expect.poll(() => types().at(-1)).toBe("video.uploaded");
    await expect.poll(() => receiver.received.length).toBe(story.length + 1);
    const [before, after] = receiver.received.slice(-2);
    expect(after!.event.id).toBe(before!.event.id);
    expect(after!.body).toBe(before!.body);
    await page.getByRole("navigation", { name: "Attempts" }).getByRole("link").nth(1).waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });
});
