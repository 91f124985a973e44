import { MaveError } from "../kernel/errors.ts";
import type { Access, Api } from "./api.ts";

/** A route of the app: what is asked of everyone who calls it, and whether the OpenAPI document leaves it out. */
export interface RouteEntry {
  method: string;
  url: string;
  access: Access;
  hidden: boolean;
}

/** Keeps a list of the routes, and answers what none of them takes: 405 with `Allow` where another method is meant, else 404. */
export function rememberRoutes(app: Api): void {
  const routes: RouteEntry[] = [];
  const paths = new Map<string, RegExp>();
  app.decorate("routeList", routes);
  app.addHook("onRoute", ({ url, method: methods, config, schema }) => {
    for (const method of [methods].flat()) {
      const access = (config as { access?: Access } | undefined)?.access ?? accessOf(method);
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
    reply.header("allow", [...new Set(allowed)].join(", "));
    throw new MaveError("METHOD_UNKNOWN");
  });
}

/** What a route asks for that does not say: reading, or changing. */
export const accessOf = (method: string): Access => (method === "GET" || method === "HEAD" ? "read" : "write");

const pattern = (url: string) =>
  new RegExp(`^${url.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replace(/:[^/]+/g, "[^/]+")}/?$`);
