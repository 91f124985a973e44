import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  expectAccessible,
  expectFitsEverywhere,
  OWNER,
  oneTimeLink,
  openBrowser,
  property,
  visit,
  visitAsOwner,
} from "../support/browser.ts";
import { without } from "../support/machine.ts";
import { startServer, type TestServer } from "../support/server.ts";

describe.skipIf(without("chromium"))("account pages", async () => {
  const browser = await openBrowser();
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
  });
  afterAll(() => server?.remove());

  test("the first-run link creates the owner and works only once", async () => {
    const link = await oneTimeLink(server);
    const { page, faults } = await visit(browser, server.url);
    await page.goto(link);
    await page.getByRole("heading", { name: "Create the owner account" }).waitFor();
    await expectAccessible(page);
    await page.getByLabel("Name").fill(OWNER.name);
    await page.getByLabel("Email").fill(OWNER.email);
    await page.getByLabel("Password").fill("short");
    await page.getByRole("button", { name: "Create account" }).click();
    expect(await property(page.getByLabel("Password"), "validity.tooShort")).toBe(true);
    await page.getByLabel("Password").fill(OWNER.password);
    await page.getByRole("button", { name: "Create account" }).click();
    await page.getByRole("heading", { name: "Videos", level: 1 }).waitFor();
    await page.getByText("No videos yet").waitFor();
    expect(page.url()).not.toContain("#");
    expect(faults).toEqual([]);

    const second = await visit(browser, server.url);
    await second.page.goto(link);
    await second.page.getByRole("heading", { name: "Invalid link" }).waitFor();
    await second.page.getByText("npm run -s mave -- admin link").waitFor();
    await expectAccessible(second.page);
    await page.context().close();
    await second.page.context().close();
  });

  test("signing out ends the session, and signing in returns to the requested page", async () => {
    const { page } = await visitAsOwner(browser, server);
    await page.getByRole("button", { name: /^Ines Duarte/ }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    expect((await page.request.get("/v1/session")).status()).toBe(401);
    await expectAccessible(page);

    await page.goto("/dashboard/api-keys");
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.getByLabel("Email").fill(OWNER.email);
    await page.getByLabel("Password").fill("not the password");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByText("Incorrect email or password.").waitFor();
    await page.getByLabel("Password").fill(OWNER.password);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "API keys", level: 1 }).waitFor();
    await page.context().close();
  });

  test("an API key is shown once and works until it is deleted", async () => {
    const { page, faults } = await visitAsOwner(browser, server);
    await page.goto("/dashboard/api-keys");
    await page.getByRole("button", { name: "Create API key" }).click();
    await page.getByLabel("Name").fill("Website");
    await page.getByRole("radio", { name: /^Read-only/ }).check();
    await page.getByRole("button", { name: "Create", exact: true }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByText("It is shown only once").waitFor();
    await expectAccessible(page);
    await dialog.getByRole("button", { name: "Copy key" }).click();
    const key = String(await page.evaluate("navigator.clipboard.readText()"));
    expect(key).toMatch(/^mave_/);
    const requestStatus = (method: string) =>
      fetch(`${server.url}/v1/videos`, {
        method,
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
        ...(method === "POST" && { body: "{}" }),
      }).then(({ status }) => status);
    expect([await requestStatus("GET"), await requestStatus("POST")]).toEqual([200, 403]);

    await dialog.getByRole("button", { name: "Done" }).click();
    await page.getByRole("row", { name: /Website/ }).waitFor();
    expect(await page.content()).not.toContain(key);
    await page.reload();
    await page
      .getByRole("row", { name: /Website/ })
      .getByText(key.slice(-4))
      .waitFor();
    expect(await page.content()).not.toContain(key);

    await page.getByRole("button", { name: "Delete Website" }).click();
    await page
      .getByRole("dialog")
      .getByText("Requests with this key will immediately start failing with 401")
      .waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
    await page.getByText("API key “Website” deleted").waitFor();
    expect(await requestStatus("GET")).toBe(401);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("the settings page changes the space name, the theme and the shortcuts, and describes the server", async () => {
    const { page, faults } = await visitAsOwner(browser, server);
    await page.goto("/dashboard/settings");
    await page.getByLabel("Name").fill("Northlight Museum");
    await page.getByRole("button", { name: "Save" }).click();
    await page.getByText("Space name saved").waitFor();
    await page.getByRole("complementary").getByText("Northlight Museum").waitFor();
    await page.getByText(server.url).waitFor();

    const theme = () => page.locator("html").getAttribute("data-theme");
    await page.getByRole("radio", { name: "Dark" }).check();
    expect(await theme()).toBe("dark");
    await page.reload();
    expect(await theme()).toBe("dark");
    await page.getByRole("radio", { name: "System" }).check();

    await page.getByRole("checkbox", { name: /^Keyboard shortcuts/ }).uncheck();
    await page.locator("main").focus();
    await page.keyboard.type("gv");
    await page.getByRole("checkbox", { name: /^Keyboard shortcuts/ }).check();
    await page.locator("main").focus();
    await page.keyboard.type("gw");
    await page.getByRole("heading", { name: "Webhooks", level: 1 }).waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("the owner can invite a member with a link and remove the member", async () => {
    const { page } = await visitAsOwner(browser, server);
    await page.goto("/dashboard/members");
    await page.getByRole("button", { name: "Invite member" }).click();
    await page.getByRole("button", { name: "Create link" }).click();
    await page.getByText("It is shown only once").waitFor();
    await page.getByRole("button", { name: "Copy link" }).click();
    const link = new URL(String(await page.evaluate("navigator.clipboard.readText()")));
    await page.getByRole("button", { name: "Done" }).click();

    const guest = await visit(browser, server.url);
    await guest.page.goto(link.pathname + link.hash);
    await guest.page.getByRole("heading", { name: "Join this space" }).waitFor();
    await guest.page.getByLabel("Name").fill("Tom Okafor");
    await guest.page.getByLabel("Email").fill("tom@northlight.example");
    await guest.page.getByLabel("Password").fill("another long sentence");
    await guest.page.getByRole("button", { name: "Join" }).click();
    await guest.page.getByRole("heading", { name: "Videos", level: 1 }).waitFor();
    await guest.page.goto("/dashboard/members");
    await guest.page.getByText("Only the owner can invite and remove members.").waitFor();
    expect(await guest.page.getByRole("button", { name: "Invite member" }).count()).toBe(0);

    await page.reload();
    await page.getByRole("button", { name: "Remove Tom Okafor" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Remove" }).click();
    await page.getByText("Tom Okafor removed").waitFor();
    await guest.page.context().close();
    await page.context().close();
  });

  test("every page is accessible and fits every width in both themes", { timeout: 120_000 }, async () => {
    for (const colorScheme of ["light", "dark"] as const) {
      const { page } = await visitAsOwner(browser, server, { colorScheme });
      for (const [path, heading] of [
        ["/dashboard/api-keys", "API keys"],
        ["/dashboard/members", "Members"],
        ["/dashboard/settings", "Settings"],
        ["/dashboard/sign-in", "Sign in"],
      ] as const) {
        await page.goto(path);
        await page.getByRole("heading", { name: heading, level: 1 }).waitFor();
        await expectFitsEverywhere(page);
      }
      await page.context().close();
    }
  });
});
