/** Filters that match next to nothing of a long history: it is looked through piece by piece, and the page says so. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LIMITS } from "../../server/src/kernel/limits.ts";
import { openDatabase } from "../../server/src/store/db.ts";
import { findEmbeddedPostgres } from "../../server/src/store/embedded-postgres.ts";
import { expectFitsEverywhere, openBrowser, visitAsOwner } from "../support/browser.ts";
import { without } from "../support/machine.ts";
import { startServer, type TestServer } from "../support/server.ts";

const ROWS = 2 * (LIMITS.LIST_SCAN_FIRST_ROWS + LIMITS.LIST_SCAN_ROWS_MAX);

const AWAY = {
  type: "about:blank",
  title: "Away",
  status: 503,
  code: "DATABASE_AWAY",
  detail: "The database is away.",
};

/** A second apart, all of them created but the oldest, which was uploaded. */
const FILL = `insert into deliveries (space_id, webhook_id, id, event_id, type, video_id, sequence, previous, status, attempts,
    response_status)
  select s.id, gen_random_uuid(), id_floor(now() - n * interval '1 s'), gen_random_uuid(),
    case when n = $1::int then 'video.uploaded' else 'video.created' end, null, 0, 0, 'succeeded', 1, 200
  from spaces s, generate_series(1, $1::int) n`;

// Without a browser npm test says so and leaves these out.
describe.skipIf(without("chromium"))("a row that lies far back", { timeout: 120_000 }, async () => {
  const browser = await openBrowser();
  let server: TestServer;
  beforeAll(async () => {
    server = await startServer();
    const { page } = await visitAsOwner(browser, server); // makes the space
    await page.context().close();
    const connection = await findEmbeddedPostgres(server.dataDir);
    const db = openDatabase({ connection: connection!, connections: 1 });
    await db.run({ name: "far_back_fill", text: FILL }, [ROWS]);
    await db.close();
  }, 120_000);
  afterAll(() => server?.remove());

  test("is found by the page itself, in several requests; where there is none, it says so only in the end", async () => {
    const { page, faults } = await visitAsOwner(browser, server);
    const asked: string[] = [];
    page.on("request", (request) => {
      if (request.url().includes("/v1/deliveries?")) asked.push(request.url());
    });
    await page.goto("/dashboard/deliveries?type=video.uploaded");
    await page.getByRole("row", { name: /video\.uploaded/ }).waitFor();
    expect(new Set(asked).size).toBeGreaterThan(1);
    expect(await page.getByRole("button", { name: "Show older ones" }).count()).toBe(0);

    // Held for as long as the page is looked at.
    const looked = Promise.withResolvers<void>();
    await page.route(/\/v1\/deliveries\?.*after=/, async (route) => {
      await looked.promise;
      await route.continue();
    });
    await page.goto("/dashboard/deliveries?type=video.processing");
    await page
      .getByRole("status")
      .getByText(/^None among the newest deliveries\./)
      .waitFor();
    expect(await page.getByRole("button", { name: "Show older ones" }).count()).toBe(0); // it looks by itself
    await expectFitsEverywhere(page);
    looked.resolve();
    await page.getByText("No deliveries match this filter.").waitFor();
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test("says so where looking further back fails, and goes on when it is asked to", async () => {
    const { page, faults } = await visitAsOwner(browser, server);
    const OLDER = /\/v1\/deliveries\?.*after=/;
    await page.route(OLDER, (route) => route.fulfill({ status: 503, json: AWAY }));
    await page.goto("/dashboard/deliveries?type=video.processing");
    await page.getByText("Looking further back failed").waitFor();
    await expectFitsEverywhere(page);
    await page.unroute(OLDER);
    await page.getByRole("button", { name: "Look through older ones" }).click();
    await page.getByText("No deliveries match this filter.").waitFor();
    expect(faults.filter((fault) => !fault.includes("503"))).toEqual([]);
    await page.context().close();
  });
});
