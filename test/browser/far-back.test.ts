/** Tests filters that match few or no deliveries in a long history, which the page searches with several requests. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LIMITS } from "../../server/src/kernel/limits.ts";
import { openDatabase } from "../../server/src/store/db.ts";
import { findEmbeddedPostgres } from "../../server/src/store/embedded-postgres.ts";
import { expectFitsEverywhere, openBrowser, visitAsOwner } from "../support/browser.ts";
import { without } from "../support/machine.ts";
import { startServer, type TestServer } from "../support/server.ts";

const ROWS = 2 * (LIMITS.LIST_SCAN_FIRST_ROWS + LIMITS.LIST_SCAN_ROWS_MAX);

const UNAVAILABLE = {
  type: "about:blank",
  title: "Database unavailable",
  status: 503,
  code: "DATABASE_UNAVAILABLE",
  detail: "The database is unavailable.",
};

/** Inserts deliveries with timestamps one second apart. Only the oldest one has the type video.uploaded. */
const FILL = `insert into deliveries (space_id, webhook_id, id, event_id, type, video_id, sequence, previous, status, attempts,
    response_status)
  select s.id, gen_random_uuid(), id_floor(now() - n * interval '1 s'), gen_random_uuid(),
    case when n = $1::int then 'video.uploaded' else 'video.created' end, null, 0, 0, 'succeeded', 1, 200
  from spaces s, generate_series(1, $1::int) n`;

describe.skipIf(without("chromium"))("a search through old deliveries", { timeout: 120_000 }, async () => {
  const browser = await openBrowser();
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
    const { page } = await visitAsOwner(browser, server); // creates the space
    await page.context().close();
    const connection = await findEmbeddedPostgres(server.dataDir);
    const db = openDatabase({ connection: connection!, connections: 1 });
    await db.run({ name: "far_back_fill", text: FILL }, [ROWS]);
    await db.close();
  }, 120_000);
  afterAll(() => server?.remove());

  test("sends several requests without a click, and waits until the end to report that nothing matches", async () => {
    const { page, faults } = await visitAsOwner(browser, server);
    const requests: string[] = [];
    page.on("request", (request) => {
      if (request.url().includes("/v1/deliveries?")) requests.push(request.url());
    });
    await page.goto("/dashboard/deliveries?type=video.uploaded");
    await page.getByRole("row", { name: /video\.uploaded/ }).waitFor();
    expect(new Set(requests).size).toBeGreaterThan(1);
    expect(await page.getByRole("button", { name: "Load more" }).count()).toBe(0);

    const checked = Promise.withResolvers<void>();
    await page.route(/\/v1\/deliveries\?.*after=/, async (route) => {
      await checked.promise;
      await route.continue();
    });
    await page.goto("/dashboard/deliveries?type=video.processing");
    await page
      .getByRole("status")
      .getByText(/^No recent matches\./)
      .waitFor();
    expect(await page.getByRole("button", { name: "Load more" }).count()).toBe(0); // the search continues automatically
    await expectFitsEverywhere(page);
    checked.resolve();
    await page.getByText("No deliveries match this filter").waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("reports a failed request and continues when the user clicks", async () => {
    const { page, faults } = await visitAsOwner(browser, server);
    const OLDER = /\/v1\/deliveries\?.*after=/;
    await page.route(OLDER, (route) => route.fulfill({ status: 503, json: UNAVAILABLE }));
    await page.goto("/dashboard/deliveries?type=video.processing");
    await page.getByText("The search of older deliveries failed.").waitFor();
    await expectFitsEverywhere(page);
    await page.unroute(OLDER);
    await page.getByRole("button", { name: "Search older deliveries" }).click();
    await page.getByText("No deliveries match this filter").waitFor();
    expect(faults.filter((fault) => !fault.includes("503"))).toEqual([]);
    await page.context().close();
  });
});
