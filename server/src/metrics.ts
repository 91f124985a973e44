import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import type { DeliveryNode } from "./delivery/node.ts";
import type { Sql } from "./store/db.ts";
import { measureQueue, type QueueDepth } from "./store/queue-depth.ts";

export interface MetricsParts {
  db: Sql;
  roles: ReadonlySet<string>;
  /** Null on a node that does not deliver. */
  delivery: Pick<DeliveryNode, "stats"> | null;
}

export interface Metrics {
  registry: Registry;
  /** One answered request, in seconds. */
  request(route: string, method: string, status: number, took_s: number): void;
}

/** What Prometheus reads. Every number is taken when it is asked for, so that measuring costs nothing in between. */
export function createMetrics({ db, roles, delivery }: MetricsParts): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  const role = new Gauge({ name: "mave_role", help: "1 for each role of this node.", labelNames: ["role"], registers });
  for (const each of roles) role.set({ role: each }, 1);
  queueGauges(db, registers);
  if (delivery) deliveryGauges(delivery, registers);
  const requests = new Histogram({
    name: "mave_http_request_seconds",
    help: "Answered requests by route, method and status.",
    labelNames: ["route", "method", "status"],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers,
  });
  return {
    registry,
    request: (route, method, status, took_s) => requests.observe({ route, method, status }, took_s),
  };
}

function queueGauges(db: Sql, registers: Registry[]): void {
  let reading: Promise<QueueDepth> | null = null; // both gauges of one scrape share a reading
  const read = () => {
    reading ??= measureQueue(db).finally(() => {
      reading = null;
    });
    return reading;
  };
  new Gauge({
    name: "mave_open_deliveries",
    help: "Deliveries that are not finished: those that are due, those that wait, and those held.",
    labelNames: ["state"],
    registers,
    async collect() {
      const depth = await read();
      for (const state of ["due", "later", "held"] as const) this.set({ state }, depth[state]);
    },
  });
  new Gauge({
    name: "mave_oldest_due_seconds",
    help: "How long the oldest due delivery of an enabled webhook has waited.",
    registers,
    async collect() {
      this.set((await read()).oldest_due_s);
    },
  });
}

function deliveryGauges(delivery: Pick<DeliveryNode, "stats">, registers: Registry[]): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read());
      },
    });
  const { stats } = delivery;
  gauge("mave_sends_in_flight", "Attempts under way on this node.", () => stats().inFlight);
  gauge("mave_sends_slow", "Those that have taken over a second.", () => stats().slow);
  gauge("mave_sends_queued", "Deliveries in this node's memory that wait for a slot.", () => stats().queued);
  gauge("mave_attempts_unsettled", "Attempts that have ended and are not written yet.", () => stats().unsettled);
  gauge("mave_nodes", "Nodes that deliver.", () => stats().nodes);
  new Counter({
    name: "mave_leases_lost_total",
    help: "Settles that came after their lease had ended.",
    registers,
    collect() {
      this.reset();
      this.inc(stats().leasesLost);
    },
  });
  new Counter({
    name: "mave_attempts_total",
    help: "Attempts of this node since its start, by outcome.",
    labelNames: ["outcome"],
    registers,
    collect() {
      this.reset();
      for (const [outcome, count] of Object.entries(stats().attempts)) this.inc({ outcome }, count);
    },
  });
}
