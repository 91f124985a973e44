import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyBaseLogger, FastifyInstance } from "fastify";
import type { Principal } from "../auth/principal.ts";
import type { RouteEntry } from "./unknown-routes.ts";

/** Who may call a route. Without a word: `read` for GET and HEAD, `write` for the rest. */
export type Access = "anyone" | "read" | "write" | "person" | "owner";

export type Api = FastifyInstance<Server, IncomingMessage, ServerResponse, FastifyBaseLogger, TypeBoxTypeProvider>;

declare module "fastify" {
  interface FastifyInstance {
    /** Every route, in the order of registration. */
    routeList: readonly RouteEntry[];
  }
  interface FastifyRequest {
    /** Who makes it. On a route for anyone: not set. */
    who: Principal;
    /** The body's bytes as they came. */
    rawBody: Buffer | null;
  }
  interface FastifyContextConfig {
    access?: Access;
    /** Set where many viewers may share one address, behind a proxy: media and the pages that play them. */
    unlimited?: boolean;
    /** Whether an Idempotency-Key counts, as OpenAPI says. */
    once?: boolean;
  }
}
