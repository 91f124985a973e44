import { existsSync } from "node:fs";
import AxeBuilder from "@axe-core/playwright";
import { type Browser, type BrowserContextOptions, chromium, type Locator, type Page } from "playwright-core";
import { afterAll, expect } from "vitest";
import { without } from "./machine.ts";
import { runAdmin, type TestServer } from "./server.ts";

const EXECUTABLES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
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

/**
 * Opens a real Chromium, which is closed when the test file ends. Returns undefined if Chromium tests are skipped,
 * because the body of their `describe` still runs.
 */
export async function openBrowser(): Promise<Browser> {
  if (without("chromium")) return undefined!;
  const executablePath = EXECUTABLES.find((path) => existsSync(path));
  if (!executablePath)
    throw new Error(`Chromium is missing (looked for ${EXECUTABLES.join(", ")}): apt-get install chromium`);
  const browser = await chromium.launch({ executablePath, args: FLAGS });
  afterAll(() => browser.close());
  return browser;
}

export interface Visit {
  page: Page;
  /** Script errors, console errors and requests to other origins. */
  faults: string[];
}

/** Opens a page with clipboard access and its own cookies and storage. */
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
    const isForeign = /^https?:/.test(request.url()) && new URL(request.url()).origin !== new URL(url).origin;
    if (isForeign) faults.push(`foreign request: ${request.url()}`);
  });
  return { page, faults };
}

/** Creates a one-time link that signs the owner in, or creates the owner if there is none. @returns the link's path */
export async function oneTimeLink(server: TestServer): Promise<string> {
  const env = { MAVE_DATA_DIR: server.dataDir, PORT: new URL(server.url).port };
  const { stdout } = await runAdmin(["link"], env);
  const { pathname, hash } = new URL(stdout.trim());
  return pathname + hash;
}

export const OWNER = { name: "Ines Duarte", email: "ines@northlight.example", password: "a long enough sentence" };

const sessions = new WeakMap<TestServer, BrowserContextOptions["storageState"]>();

/** Opens a page as the signed-in owner, creating the owner if needed. Later visits reuse the session. */
export async function visitAsOwner(
  browser: Browser,
  server: TestServer,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const storageState = sessions.get(server);
  const opened = await visit(browser, server.url, { ...(storageState && { storageState }), ...options });
  const { page } = opened;
  const signedIn = storageState && (await page.request.get("/v1/session")).ok();
  await page.goto(signedIn ? "/dashboard/videos" : await oneTimeLink(server));
  const create = page.getByRole("button", { name: "Create account" });
  const videos = page.getByRole("heading", { name: "Videos", level: 1 });
  await create.or(videos).waitFor();
  if (await create.isVisible()) {
    await page.getByLabel("Name").fill(OWNER.name);
    await page.getByLabel("Email").fill(OWNER.email);
    await page.getByLabel("Password").fill(OWNER.password);
    await create.click();
  }
  await videos.waitFor();
  if (!signedIn) sessions.set(server, await page.context().storageState());
  return opened;
}

/**
 * Fails if axe finds accessibility violations, and lists their rules and elements. Legacy mode takes half the time and
 * skips only the content of cross-origin frames.
 */
export async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode(true).analyze();
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target.join(" ")).join(", ")}`);
  expect(found).toEqual([]);
}

/**
 * Fails if the window or the main pane scrolls horizontally. It polls, because charts and other elements that measure
 * themselves adapt shortly after a resize.
 */
export async function expectNoSidewaysScroll(page: Page): Promise<void> {
  await expect.poll(() => page.evaluate<string[]>(WIDER), { timeout: WAIT_MS }).toEqual([]);
}

// This is a string because the tests are compiled without DOM types.
const WIDER = `[document.documentElement, document.querySelector("main")]
  .filter((element) => element !== null && element.scrollWidth > element.clientWidth)
  .map((element) => element.tagName + " " + element.scrollWidth + " > " + element.clientWidth)`;

/** Reads a DOM property, such as `naturalWidth` or `validity.tooShort`. */
export const property = (element: Locator, path: string): Promise<unknown> =>
  element.evaluate((found, path) => path.split(".").reduce((of: never, name) => of[name], found as never), path);

const WIDTHS = [390, 820, 1024, 1440, 1920];
/** Between these widths only the layout changes, not names, colors or roles. The dark theme changes only colors. */
const WIDTHS_CHECKED = { light: [390, 1440], dark: [1440] };

/**
 * Checks the page for horizontal scrolling at every width, and runs axe at a phone width (light theme only) and a
 * desktop width.
 */
export async function expectFitsEverywhere(page: Page): Promise<void> {
  const isDark = await page.evaluate<boolean>(`matchMedia("(prefers-color-scheme: dark)").matches`);
  const widthsChecked = WIDTHS_CHECKED[isDark ? "dark" : "light"];
  for (const width of WIDTHS) {
    await page.setViewportSize({ width, height: 900 });
    await expectNoSidewaysScroll(page);
    if (widthsChecked.includes(width)) await expectAccessible(page);
  }
}
