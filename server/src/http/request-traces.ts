import type { FastifyRequest } from "fastify";
import type { Clock } from "../kernel/clock.ts";
import type { OpenSpan, Tracing } from "../kernel/trace.ts";
import type { Api } from "./api.ts";

/**
 * Starts a span for each API request, which becomes the parent of the request's other spans. Requests for media, pages
 * and health checks have no span.
 */
export function traceRequests(app: Api, tracing: Tracing, clock: Clock): void {
  const spans = new WeakMap<FastifyRequest, OpenSpan>();
  app.addHook("onRequest", (request, _reply, done) => {
    const { method, routeOptions } = request;
    const route = routeOptions.url;
    if (!route?.startsWith("/v1/")) return done();
    const attributes = { "http.request.method": method, "http.route": route };
    const span = tracing.begin({ name: `${method} ${route}`, kind: "server", begun_ms: clock.now(), attributes });
    spans.set(request, span);
    tracing.within(span, done);
  });
  app.addHook("onResponse", async (request, { statusCode }) => {
    spans.get(request)?.end(clock.now(), { "http.response.status_code": statusCode }, statusCode >= 500);
  });
}
