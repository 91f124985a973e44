import type { FastifyRequest } from "fastify";
import type { Clock } from "../kernel/clock.ts";
import type { OpenSpan, Tracing } from "../kernel/trace.ts";
import type { Api } from "./api.ts";

/** A span for each request of the API; what it records follows from it. Media, pages and probes are left out. */
export function traceRequests(app: Api, tracing: Tracing, clock: Clock): void {
  const open = new WeakMap<FastifyRequest, OpenSpan>();
  app.addHook("onRequest", (request, _reply, done) => {
    const { method, routeOptions } = request;
    const route = routeOptions.url;
    if (!route?.startsWith("/v1/")) return done();
    const attributes = { "http.request.method": method, "http.route": route };
    const span = tracing.begin({ name: `${method} ${route}`, kind: "server", begun_ms: clock.now(), attributes });
    open.set(request, span);
    tracing.within(span, done);
  });
  app.addHook("onResponse", async (request, { statusCode }) => {
    open.get(request)?.end(clock.now(), { "http.response.status_code": statusCode }, statusCode >= 500);
  });
}
