import { timingSafeEqual } from "node:crypto";
import type { FastifyRequest } from "fastify";
import type { Registry } from "prom-client";
import { Type } from "typebox";
import { sha256 } from "../auth/api-keys.ts";
import type { Clock } from "../kernel/clock.ts";
import { MaveError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Watchdog } from "../kernel/watchdog.ts";
import type { Sql } from "../store/db.ts";
import { ping } from "../store/ping.ts";
import type { Api } from "./api.ts";

export interface OperationsParts {
  db: Sql;
  clock: Clock;
  registry: Registry;
  watchdog: Watchdog;
  metricsToken: string | null;
}

const tags = ["Operations"];
const Health = Type.Object({ status: Type.String({ description: "ok" }) });

export function operationRoutes(app: Api, parts: OperationsParts): void {
  app.get(
    "/healthz",
    {
      schema: {
        operationId: "isAlive",
        summary: "Check that the process is alive",
        tags,
        response: { 200: Health },
      },
      config: { access: "anyone" },
    },
    async () => ({ status: "ok" }),
  );

  app.get(
    "/readyz",
    {
      schema: {
        operationId: "isReady",
        summary: "Check that the server is ready",
        description:
          "The database responds, and every recurring task of this node, such as claiming deliveries, is on time. " +
          "Otherwise the status is 503, and `detail` names what is late.",
        tags,
        response: { 200: Health },
      },
      config: { access: "anyone" },
    },
    async () => {
      await withinDeadline(parts.clock, ping(parts.db));
      const late = parts.watchdog.late();
      if (late.length > 0)
        throw new MaveError("TASK_LATE", `These tasks of this node have not ended in time: ${late.join(", ")}.`);
      return { status: "ok" };
    },
  );

  app.get(
    "/metrics",
    {
      schema: {
        operationId: "getMetrics",
        summary: "Get Prometheus metrics",
        description:
          "Requires MAVE_METRICS_TOKEN as the bearer token. MAVE_METRICS_PORT serves the same metrics without a token, to the server's own machine only.",
        tags,
        response: {
          200: {
            description: "Metrics in the Prometheus text format.",
            content: { "text/plain": { schema: Type.String() } },
          },
        },
      },
      config: { access: "anyone" },
    },
    async (request, reply) => {
      checkMetricsReader(request, parts.metricsToken);
      return reply.type(parts.registry.contentType).send(await parts.registry.metrics());
    },
  );
}

function withinDeadline<Result>(clock: Clock, work: Promise<Result>): Promise<Result> {
  return new Promise((resolve, reject) => {
    const cancel = clock.after(LIMITS.READY_MS, () => reject(new MaveError("STORE_UNAVAILABLE")));
    work.then(resolve, reject).finally(cancel);
  });
}

function checkMetricsReader({ headers }: FastifyRequest, token: string | null): void {
  if (token === null)
    throw new MaveError(
      "KEY_MISSING",
      "Set MAVE_METRICS_TOKEN to read metrics with a token, or MAVE_METRICS_PORT to read them on the server's own machine.",
    );
  if (timingSafeEqual(sha256(headers.authorization ?? ""), sha256(`Bearer ${token}`))) return;
  throw new MaveError("KEY_INVALID", "The bearer token does not match MAVE_METRICS_TOKEN.");
}
