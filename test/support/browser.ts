import { existsSync } from "node:fs";
import AxeBuilder from "@axe-core/playwright";
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from "playwright-core";
import { afterAll, expect } from "vitest";
import { without } from "./machine.ts";
import { runAdmin, type TestServer } from "./server.ts";

const PLACES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
const WAIT_MS = 15_000;

/** Real Chromium, closed after the test file. None where its tests are left out: their `describe` is run all the same. */
export async function openBrowser(): Promise<Browser> {
  if (without("chromium")) return undefined!;
  const executablePath = PLACES.find((path) => existsSync(path));
  if (!executablePath)
    throw new Error(`Chromium is missing (looked at ${PLACES.join(", ")}): apt-get install chromium`);
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  afterAll(() => browser.close());
  return browser;
}

/** A page of a person of their own, and what went wrong on it. */
export interface Visit {
  page: Page;
  /** Errors of scripts and of the console, and requests that left the server's origin. Empty where all is well. */
  faults: string[];
}

/** A new page with cookies and storage of its own. Clipboard access is granted, as a person would with their click. */
export async function visit(browser: Browser, url: string, options: BrowserContextOptions = {}): Promise<Visit> {
  const context = await browser.newContext({
    baseURL: url,
    viewport: { width: 1440, height: 900 },
    permissions: ["clipboard-read", "clipboard-write"],
    ...options,
  });
  context.setDefaultTimeout(WAIT_MS);
  const page = await context.newPage();
  const faults: string[] = [];
  page.on("console", (message) => {
    if (message.type() === "error") faults.push(`console: ${message.text()}`);
  });
  page.on("pageerror", (error) => faults.push(`script: ${error.message}`));
  page.on("request", (request) => {
    const other = /^https?:/.test(request.url()) && new URL(request.url()).origin !== new URL(url).origin;
    if (other) faults.push(`left the origin: ${request.url()}`);
  });
  return { page, faults };
}

/** The path of a one-time link that signs the owner in, or creates the owner where there is none. */
export async function oneTimeLink(server: TestServer): Promise<string> {
  const env = { MAVE_DATA_DIR: server.dataDir, PORT: new URL(server.url).port };
  const { stdout } = await runAdmin(["link"], env);
  const { pathname, hash } = new URL(stdout.trim());
  return pathname + hash;
}

export const OWNER = { name: "Ines Duarte", email: "ines@northlight.example", password: "a long enough sentence" };

const sessions = new WeakMap<TestServer, BrowserContextOptions["storageState"]>();

/** A page signed in as the owner, who is created where there is none yet. Later visits share the first one's session. */
export async function visitAsOwner(
  browser: Browser,
  server: TestServer,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const storageState = sessions.get(server);
  const visiting = await visit(browser, server.url, { ...(storageState && { storageState }), ...options });
  const { page } = visiting;
  const known = storageState && (await page.request.get("/v1/session")).ok();
  await page.goto(known ? "/dashboard/videos" : await oneTimeLink(server));
  const create = page.getByRole("button", { name: "Create the owner" });
  const videos = page.getByRole("heading", { name: "Videos", level: 1 });
  await create.or(videos).waitFor();
  if (await create.isVisible()) {
    await page.getByLabel("Name").fill(OWNER.name);
    await page.getByLabel("Email").fill(OWNER.email);
    await page.getByLabel("Password").fill(OWNER.password);
    await create.click();
  }
  await videos.waitFor();
  if (!known) sessions.set(server, await page.context().storageState());
  return visiting;
}

/** Fails with each violation's rule and places where the page, as it stands, keeps someone out. */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
  expect(found).toEqual([]);
}

/**
 * Fails where something is and stays wider than the window or the pane, so that a person would have to scroll sideways.
 * What measures itself, as charts do, follows the window a moment later.
 */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  await expect.poll(() => page.evaluate<string[]>(WIDER), { timeout: WAIT_MS }).toEqual([]);
}

// As text: these types know no DOM.
const WIDER = `[document.documentElement, document.querySelector("main")]
  .filter((element) => element !== null && element.scrollWidth > element.clientWidth)
  .map((element) => element.tagName + " " + element.scrollWidth + " > " + element.clientWidth)`;

/** A property of an element as the browser has it, such as `naturalWidth` or `validity.tooShort`. */
export const property = (element: Locator, path: string): Promise<unknown> =>
  element.evaluate((found, path) => path.split(".").reduce((of: never, name) => of[name], found as never), path);

const WIDTHS = [390, 820, 1024, 1440, 1920];
/** Between them a page only moves its parts; names, colours and roles stay. */
const WIDTHS_JUDGED = [390, 1440];

/** Holds the page, as it stands, at every width against sideways scrolling, and at a phone's and a desk's against axe. */
export async function expectFitsEverywhere(page: Page): Promise<void> {
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    await expectNoSidewaysScroll(page);
    if (WIDTHS_JUDGED.includes(width)) await expectAccessible(page);
  }
}
