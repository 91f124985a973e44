import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import fastifyStatic from "@fastify/static";
import type { FastifyReply } from "fastify";
import type { Api } from "./api.ts";

const BUILT = fileURLToPath(new URL("../../../dashboard/dist", import.meta.url));
const HIDDEN = { schema: { hide: true }, config: { access: "anyone" as const } };

const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; media-src 'self' blob:; font-src 'self'; connect-src 'self'; worker-src 'self' blob:; frame-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

/**
 * Serves the built dashboard at /dashboard/. Any path that is not a file returns the app, which handles client-side
 * routes.
 */
export async function dashboardRoutes(app: Api): Promise<void> {
  app.get("/", HIDDEN, (_request, reply) => reply.redirect("/dashboard/"));
  app.get("/dashboard", HIDDEN, (_request, reply) => reply.redirect("/dashboard/"));
  if (!existsSync(BUILT)) {
    app.get("/dashboard/*", HIDDEN, (_request, reply) =>
      reply
        .code(503)
        .type("text/plain; charset=utf-8")
        .send("The dashboard is not built. Run: npm run build -w dashboard"),
    );
    return;
  }
  await app.register(fastifyStatic, { root: BUILT, serve: false, preCompressed: true, cacheControl: false });
  app.get("/dashboard/*", HIDDEN, (request, reply) => {
    const path = (request.params as { "*": string })["*"];
    if (path.startsWith("assets/")) {
      // Asset names contain a hash of their content.
      reply.header("cache-control", "public, max-age=31536000, immutable");
      return reply.sendFile(path);
    }
    return /^[\w-]+\.\w+$/.test(path) ? reply.header("cache-control", "no-cache").sendFile(path) : page(reply);
  });
}

function page(reply: FastifyReply): FastifyReply {
  reply.header("cache-control", "no-cache").header("content-security-policy", POLICY);
  reply.header("x-frame-options", "DENY").header("referrer-policy", "same-origin");
  return reply.sendFile("index.html");
}
