import { MaveError } from "../kernel/errors.ts";
import type { Access, Api, RouteEntry } from "./api.ts";

/**
 * Adds `app.routeList` and a not-found handler, which returns 405 with `Allow` if the path supports other methods, and
 * 404 otherwise.
 */
export function addRouteList(app: Api): void {
  const routes: RouteEntry[] = [];
  const paths = new Map<string, RegExp>();
  app.decorate("routeList", routes);
  app.addHook("onRoute", ({ url, method: methods, config, schema }) => {
    for (const method of [methods].flat()) {
      const access = (config as { access?: Access } | undefined)?.access ?? defaultAccess(method);
      routes.push({
        method,
        url,
        access,
        hidden: schema === undefined || (schema as { hide?: boolean }).hide === true,
      });
    }
    paths.set(url, pattern(url));
  });
  app.setNotFoundHandler((request, reply) => {
    const path = request.url.split("?", 1)[0]!;
    const allowed = routes.filter(({ url }) => paths.get(url)!.test(path)).map(({ method }) => method);
    if (allowed.length === 0) throw new MaveError("ROUTE_UNKNOWN");
    if (allowed.includes(request.method)) throw new MaveError("NOT_FOUND", "No file has this name."); // a static route
    reply.header("allow", [...new Set(allowed)].join(", "));
    throw new MaveError("METHOD_UNKNOWN");
  });
}

/** Returns the access level of a route that does not declare one. */
export const defaultAccess = (method: string): Access => (method === "GET" || method === "HEAD" ? "read" : "write");

const pattern = (url: string) =>
  new RegExp(`^${url.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/:[^/]+/g, "[^/]+")}/?$`);
