import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { DeliveryNode } from "../delivery/node.ts";
import type { Watchdog } from "../kernel/watchdog.ts";
import type { Database } from "../store/db.ts";
import { measureQueue, QUEUE_STATES } from "../store/queue/depth.ts";
import { measureUploads, UPLOAD_STATES } from "../store/upload-queue.ts";
import type { DeliveryMeter } from "./delivery-meter.ts";

export interface MetricsParts {
  db: Database;
  watchdog: Pick<Watchdog, "late">;
  roles: ReadonlySet<string>;
  /** Null if this node does not deliver. */
  delivery: { stats: DeliveryNode["stats"]; meter: DeliveryMeter } | null;
}

export interface Metrics {
  registry: Registry;
  /** Records a finished request. */
  request(route: string, method: string, status: number, duration_s: number): void;
}

type Read = () => number;

/** Prometheus metrics. Gauges are measured only when they are scraped. */
export function createMetrics({ db, watchdog, roles, delivery }: MetricsParts): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const role = new Gauge({ name: "mave_role", help: "1 for each role of this node.", labelNames: ["role"], registers });
  for (const each of roles) role.set({ role: each }, 1);
  new Gauge({
    name: "mave_tasks_late",
    help: "Recurring tasks of this node that have not ended in time. /readyz names them.",
    registers,
    collect() {
      this.set(watchdog.late().length);
    },
  });
  databaseGauges(db, registers);
  if (delivery) deliveryGauges(delivery.stats, registers);
  for (const each of delivery?.meter.series ?? []) registry.registerMetric(each);
  const requests = new Histogram({
    name: "mave_http_request_duration_seconds",
    help: "Duration of requests by route, method and status.",
    labelNames: ["route", "method", "status"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  return {
    registry,
    request: (route, method, status, duration_s) => requests.observe({ route, method, status }, duration_s),
  };
}

/**
 * Registers the database gauges, which are the same on every node, and the gauges for this node's connection pool.
 * While the database is unavailable, `mave_database_up` is 0 and the other database gauges are absent or NaN. All other
 * metrics remain available.
 */
function databaseGauges(db: Database, registers: Registry[]): void {
  const queue = shared(() => measureQueue(db));
  const uploads = shared(() => measureUploads(db));
  const up = async () => ((await queue()) && (await uploads()) ? 1 : 0);
  const single = (name: string, help: string, read: () => Promise<number>) =>
    new Gauge({
      name,
      help,
      registers,
      async collect() {
        this.set(await read());
      },
    });
  const byState = (name: string, help: string, read: () => Promise<Record<string, number> | undefined>) =>
    new Gauge({
      name,
      help,
      labelNames: ["state"],
      registers,
      async collect() {
        const values = await read();
        this.reset();
        for (const [state, value] of Object.entries(values ?? {})) this.set({ state }, value);
      },
    });
  // Read the pool first, because the gauges below run queries that use it.
  const { pool } = db;
  byState("mave_database_connections", "Connections in this node's database pool by state: busy, idle.", async () => {
    return { busy: pool.totalCount - pool.idleCount, idle: pool.idleCount };
  });
  single("mave_database_waiting", "Statements on this node that are waiting for a database connection.", async () => {
    return pool.waitingCount;
  });
  single("mave_database_up", "1 if the database responded to this scrape.", up);
  const states = QUEUE_STATES.join(", ");
  byState("mave_pending_deliveries", `Pending deliveries by state: ${states}.`, async () => (await queue())?.counts);
  byState(
    "mave_oldest_delivery_seconds",
    "Age of the oldest pending delivery by state.",
    async () => (await queue())?.oldest_s,
  );
  single(
    "mave_oldest_due_seconds",
    "Time since the most overdue delivery became due.",
    async () => (await queue())?.overdue_s ?? Number.NaN,
  );
  byState("mave_uploads", `Uploads by state: ${UPLOAD_STATES.join(", ")}.`, async () => (await uploads())?.counts);
  single(
    "mave_oldest_upload_seconds",
    "How long the oldest received upload has been waiting for processing.",
    async () => (await uploads())?.oldest_received_s ?? Number.NaN,
  );
}

/** Shares one query among all gauges in a scrape. The result is undefined if the query failed. */
function shared<Reading>(read: () => Promise<Reading>): () => Promise<Reading | undefined> {
  let reading: Promise<Reading | undefined> | null = null;
  return () => {
    reading ??= read()
      .catch(() => undefined)
      .finally(() => {
        reading = null;
      });
    return reading;
  };
}

function deliveryGauges(stats: DeliveryNode["stats"], registers: Registry[]): void {
  const gauge = (name: string, help: string, read: Read) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  gauge("mave_attempts_in_flight", "Attempts in flight on this node, excluding slow ones.", () => stats().inFlight);
  gauge("mave_attempts_slow", "Attempts in flight for more than a second.", () => stats().slow);
  gauge(
    "mave_deliveries_queued",
    "Deliveries in this node's memory that are waiting for a slot.",
    () => stats().queued,
  );
  gauge("mave_attempts_unsettled", "Attempts that have ended but are not settled yet.", () => stats().unsettled);
  gauge("mave_nodes", "Nodes that send deliveries.", () => stats().nodes);
  new Counter({
    name: "mave_leases_lost_total",
    help: "Outcomes discarded because another node had since leased the delivery or its webhook had been deleted.",
    registers,
    collect() {
      this.reset();
      this.inc(stats().leasesLost);
    },
  });
}
