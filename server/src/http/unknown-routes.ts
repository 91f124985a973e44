import { MaveError } from "../errors.ts";
import type { Api } from "./api.ts";

/** Answers what no route takes: 405 with `Allow` where another method is meant, else 404. */
export function rememberRoutes(app: Api): void {
  const routes: { path: RegExp; methods: Set<string> }[] = [];
  app.addHook("onRoute", ({ url, method }) => {
    const path = new RegExp(`^${url.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/:[^/]+/g, "[^/]+")}/?$`);
    routes.push({ path, methods: new Set([method].flat()) });
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?", 1)[0]!;
    const allowed = routes.filter((route) => route.path.test(path)).flatMap(({ methods }) => [...methods]);
    if (allowed.length === 0) throw new MaveError("ROUTE_UNKNOWN");
    reply.header("allow", [...new Set(allowed)].join(", "));
    throw new MaveError("METHOD_UNKNOWN");
  });
}
