import { describe, expect, test } from "vitest";
import { testApi } from "../support/api.ts";
import { openBrowser, visit } from "../support/browser.ts";
import { testDatabase } from "../support/database.ts";
import { without } from "../support/machine.ts";

const api = await testApi(await testDatabase());
const browser = await openBrowser();

describe.skipIf(without("chromium"))("the API reference", () => {
  test("shows every operation without errors or requests to other origins", {
    timeout: 60_000,
  }, async () => {
    const { page, faults } = await visit(browser, api.url);
    await page.goto("/docs");
    await page.getByRole("heading", { name: "Mave", exact: true }).first().waitFor();
    for (const name of ["Videos", "Webhooks", "Deliveries"])
      await page.getByText(name, { exact: true }).first().waitFor();
    await page.getByText("Create a video").first().waitFor();
    expect(faults).toEqual([]);
  });

  test("explains each problem type at its URL", async () => {
    const { json } = await api.ask("GET", "/v1/videos/nothing000");
    const { page, faults } = await visit(browser, api.url);
    await page.goto(json.type);
    await page.locator("tr:target").getByText(json.title).waitFor();
    expect(faults).toEqual([]);
  });
});
