import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import type { FastifyBaseLogger, FastifyInstance } from "fastify";
import type { Principal } from "../auth/principal.ts";

/** Who can call a route. By default, `read` for GET and HEAD, and `write` for other methods. */
export type Access = "anyone" | "read" | "write" | "person" | "owner";

/** A registered route. `hidden` routes are not in the OpenAPI document. */
export interface RouteEntry {
  method: string;
  url: string;
  access: Access;
  hidden: boolean;
}

export type Api = FastifyInstance<Server, IncomingMessage, ServerResponse, FastifyBaseLogger, TypeBoxTypeProvider>;

declare module "fastify" {
  interface FastifyInstance {
    /** All routes, in registration order. */
    routeList: readonly RouteEntry[];
  }
  interface FastifyRequest {
    /** The authenticated caller. Not set on routes with `anyone` access. */
    who: Principal;
    /** The bytes of the JSON body. */
    rawBody: Buffer | null;
  }
  interface FastifyContextConfig {
    access?: Access;
    /**
     * Whether the route is exempt from rate limits. True for media and embeds, because many viewers can share one
     * address behind a proxy.
     */
    unlimited?: boolean;
    /** Whether the route supports an Idempotency-Key. */
    idempotent?: boolean;
  }
}
