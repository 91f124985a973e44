import type { FastifyRequest } from "fastify";
import type { ApiKeys } from "../auth/api-keys.ts";
import type { People } from "../auth/people.ts";
import type { Spaces } from "../auth/spaces.ts";
import type { Cancellations } from "../delivery/cancellations.ts";
import type { Deliveries } from "../delivery/deliveries.ts";
import type { Replays } from "../delivery/replays.ts";
import type { Erasures } from "../events/erasures.ts";
import type { Events } from "../events/events.ts";
import { MaveError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Tracing } from "../kernel/trace.ts";
import type { Watchdog } from "../kernel/watchdog.ts";
import type { Live } from "../ops/live.ts";
import type { Metrics } from "../ops/metrics.ts";
import type { Database } from "../store/db.ts";
import type { Blobs } from "../videos/blobs.ts";
import type { Library } from "../videos/library.ts";
import type { Uploads } from "../videos/upload.ts";
import type { Webhooks } from "../webhooks/registry.ts";
import { type AccessParts, createAccessHook, identify } from "./access.ts";
import type { Api } from "./api.ts";
import { apiKeyRoutes } from "./api-keys.ts";
import { auditLogRoutes } from "./audit-log.ts";
import { cancellationRoutes } from "./cancellations.ts";
import { type ChangeParts, createChange } from "./change.ts";
import { dashboardRoutes } from "./dashboard.ts";
import { deliveryRoutes } from "./deliveries.ts";
import { docsRoutes } from "./docs.ts";
import { embedRoutes } from "./embed.ts";
import { erasureRoutes } from "./erasures.ts";
import { createEventStreams } from "./event-stream.ts";
import { eventRoutes } from "./events.ts";
import { changeStreamRoute } from "./live.ts";
import { mediaRoutes } from "./media.ts";
import { memberRoutes } from "./members.ts";
import { openApi } from "./openapi.ts";
import { operationRoutes } from "./operations.ts";
import { type OverviewParts, overviewRoute } from "./overview.ts";
import { createRateLimits } from "./rate-limits.ts";
import { replayRoutes } from "./replays.ts";
import { traceRequests } from "./request-traces.ts";
import { createServerFrame, type ServerParts } from "./server.ts";
import { createStreams } from "./server-sent-events.ts";
import { signInRoutes } from "./sign-in.ts";
import { createSignInLimits } from "./sign-in-limits.ts";
import { spaceRoutes } from "./space.ts";
import { uploadRoutes } from "./uploads.ts";
import { videoRoutes } from "./videos.ts";
import { type WebhookRouteParts, webhookRoutes } from "./webhooks.ts";

export interface HttpParts extends ServerParts, OverviewParts {
  db: Database;
  live: Pick<Live, "on" | "onMissed">;
  vault: ChangeParts["vault"];
  metrics: Metrics;
  /** If false, only /healthz, /readyz and /metrics are served. */
  hasApiRole: boolean;
  metricsToken: string | null;
  watchdog: Watchdog;
  apiKeys: ApiKeys;
  people: People;
  spaces: Spaces;
  library: Library;
  uploads: Uploads;
  blobs: Blobs;
  webhooks: Webhooks;
  sendTest: WebhookRouteParts["sendTest"];
  health: WebhookRouteParts["health"];
  events: Events;
  deliveries: Deliveries;
  replays: Replays;
  cancellations: Cancellations;
  erasures: Erasures;
  tracing?: Tracing | undefined;
}

export interface Http {
  app: Api;
  /** Rejects new requests and ends streams. After REQUESTS_DRAIN_MS, closes connections that are still in use. */
  close(): Promise<void>;
}

/** Creates the HTTP server with all of its routes. */
export async function createHttp(parts: HttpParts): Promise<Http> {
  let isDraining = false;
  const app = await createServerFrame(parts);
  const limits = await createRateLimits(app);
  const access = { ...parts, countInvalidKey: limits.countInvalidKey };
  if (parts.tracing) traceRequests(app, parts.tracing, parts.clock);
  app.addHook("onRequest", async (_request, reply) => {
    if (!isDraining) return;
    reply.header("connection", "close");
    throw new MaveError("SHUTTING_DOWN", undefined, { retryAfter_s: 5 });
  });
  app.addHook("onResponse", async ({ routeOptions, method }, reply) =>
    parts.metrics.request(routeOptions.url ?? "none", method, reply.statusCode, reply.elapsedTime / 1000),
  );
  app.addHook("onRequest", createAccessHook(access));
  app.addHook("onRequest", limits.countRequest);
  const streams = createStreams(parts.clock, (request) => isStillAuthenticated(access, request));
  await openApi(app, parts);
  mount(app, { ...parts, limits, streams });
  const document = { schema: { hide: true }, config: { access: "anyone" as const } };
  app.get("/v1/openapi.json", document, () => app.swagger());
  await app.ready();
  return {
    app,
    async close() {
      isDraining = true;
      streams.endAll();
      const cancel = parts.clock.after(LIMITS.REQUESTS_DRAIN_MS, () => app.server.closeAllConnections());
      await app.close();
      cancel();
    },
  };
}

/** Returns whether a stream's key or session is still valid. Assumes that it is while the database is unavailable. */
async function isStillAuthenticated(parts: AccessParts, request: FastifyRequest): Promise<boolean> {
  try {
    await identify(parts, request);
    return true;
  } catch (error) {
    return !(error instanceof MaveError && error.status < 500);
  }
}

interface MountParts extends HttpParts {
  limits: Awaited<ReturnType<typeof createRateLimits>>;
  streams: ReturnType<typeof createStreams>;
}

function mount(app: Api, parts: MountParts): void {
  operationRoutes(app, { ...parts, registry: parts.metrics.registry });
  if (!parts.hasApiRole) return;
  const { log } = parts;
  const change = createChange(parts);
  const onError = (err: unknown) => log.warn({ err }, "Event stream read failed; retrying");
  const streams = createEventStreams({ ...parts, onError });
  videoRoutes(app, { ...parts, change });
  app.register(async (scope) => uploadRoutes(scope as unknown as Api, parts));
  webhookRoutes(app, { ...parts, change });
  eventRoutes(app, { ...parts, streams });
  deliveryRoutes(app, { ...parts, change });
  replayRoutes(app, { ...parts, change });
  cancellationRoutes(app, { ...parts, change });
  erasureRoutes(app, { ...parts, change });
  apiKeyRoutes(app, { ...parts, change });
  memberRoutes(app, { ...parts, change });
  spaceRoutes(app, { ...parts, change });
  auditLogRoutes(app, parts);
  signInRoutes(app, { ...parts, limits: createSignInLimits() });
  overviewRoute(app, parts);
  changeStreamRoute(app, parts);
  app.register(async (scope) => mediaRoutes(scope as unknown as Api, parts));
  app.register(async (scope) => embedRoutes(scope as unknown as Api, parts));
  app.register(async (scope) => docsRoutes(scope as unknown as Api));
  app.register(async (scope) => dashboardRoutes(scope as unknown as Api));
}
