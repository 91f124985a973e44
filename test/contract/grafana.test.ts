/** Checks that the Grafana dashboard uses metrics that the server exports. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { createDeliveryMeter } from "../../server/src/ops/delivery-meter.ts";
import { createMetrics } from "../../server/src/ops/metrics.ts";
import { testDatabase } from "../support/database.ts";
import { ROOT } from "../support/server.ts";

interface Panel {
  id: number;
  type: string;
  title: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { expr: string }[];
}
interface Board {
  schemaVersion: number;
  templating: { list: { name: string; type: string; query: unknown }[] };
  panels: Panel[];
}

const stats = () => ({
  ...{ inFlight: 0, slow: 0, queued: 0, unsettled: 0, leasesLost: 0, nodes: 1 },
  attempts: { succeeded: 0, retry: 0, failed: 0 },
});

describe("docs/grafana/mave.json", async () => {
  const board: Board = JSON.parse(await readFile(join(ROOT, "docs/grafana/mave.json"), "utf8"));
  const { panels } = board;
  const db = await testDatabase();
  let metrics = "";
  beforeAll(async () => {
    const meter = createDeliveryMeter();
    meter.attempted({
      exchange: { timings: { total: 1 } },
      outcome: { result: "succeeded", error: null },
    } as Parameters<typeof meter.attempted>[0]);
    const created = createMetrics({
      db,
      watchdog: { late: () => [] },
      roles: new Set(["deliver"]),
      delivery: { stats, meter },
    });
    created.request("/v1/videos", "GET", 200, 0.001);
    metrics = await created.registry.metrics();
  });

  test("has a row for each subject and a variable for the Prometheus data source", () => {
    const rows = panels.filter(({ type }) => type === "row").map(({ title }) => title);
    expect(rows).toEqual(["Deliveries", "Latency", "Queue", "Engine", "API", "Processing", "Database"]);
    expect(board.schemaVersion).toBeGreaterThanOrEqual(39);
    expect(board.templating.list).toContainEqual(expect.objectContaining({ type: "datasource", query: "prometheus" }));
  });

  test("gives each panel a unique id and position", () => {
    expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length);
    const taken = new Map<string, string>();
    for (const { title, gridPos } of panels)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
          expect(x).toBeLessThan(24);
          expect(taken.get(`${x} ${y}`), `${title} overlaps another panel`).toBeUndefined();
          taken.set(`${x} ${y}`, title);
        }
  });

  test("uses only series and labels that /metrics exports", () => {
    const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
    expect(expressions.length).toBeGreaterThan(20);
    for (const expr of expressions) {
      const names = expr.match(/\b(?:mave|nodejs|process)_\w+/g) ?? [];
      expect(names.length, `no series in ${expr}`).toBeGreaterThan(0);
      for (const name of names) {
        const samples = metrics.split("\n").filter((line) => new RegExp(`^${name}[{ ]`).test(line));
        expect(samples.length, `${name} is not in /metrics`).toBeGreaterThan(0);
        const grouped = expr.match(/by \(([\w, ]+)\)/)?.[1]?.split(", ") ?? [];
        for (const label of grouped.filter((each) => each !== "instance"))
          expect(samples[0], `${name} has no label ${label}`).toContain(`${label}="`);
      }
    }
  });
});
