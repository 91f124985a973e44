import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import underPressure from "@fastify/under-pressure";
import fastify, { type FastifyRequest, LogController } from "fastify";
import { Settings } from "typebox/system";
import type { Clock } from "../kernel/clock.ts";
import { MaveError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Log } from "../kernel/log.ts";
import type { Random } from "../kernel/random.ts";
import type { Api } from "./api.ts";
import { discardBody } from "./discard-body.ts";
import { createHostCheck } from "./host-check.ts";
import { readJsonBody } from "./json-body.ts";
import { lazySerializers, lazyValidator } from "./lazy-compilers.ts";
import { problem, sendProblem } from "./problems.ts";
import { addRouteList } from "./route-list.ts";
import { NAMED } from "./schemas/index.ts";

export interface ServerParts {
  publicUrl: string;
  /** The addresses of trusted proxies. True trusts one proxy at any address. */
  trustProxy: boolean | string[];
  log: Log;
  clock: Clock;
  random: Random;
  /** Handles tus requests before they reach Fastify. Returns false for all other requests. */
  tus?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

/**
 * Trusts the proxy that this server is connected to, and so the last address in X-Forwarded-For, which that proxy added.
 * The addresses before it come from the client, which can forge them.
 */
const trustsOneProxy = (_address: string, hop: number): boolean => hop === 0;

/**
 * Creates the web server without its routes, with everything that all requests have in common.
 *
 *     Host check → (tus) → request id → authentication → rate limit → body → schema → route → response, or a problem
 */
export async function createServerFrame(parts: ServerParts): Promise<Api> {
  const app = fastify({
    loggerInstance: parts.log,
    logController: new LogController({ disableRequestLogging: true }),
    childLoggerFactory: (logger) => logger, // avoids creating a logger per request
    return503OnClosing: false, // during shutdown, a hook rejects requests with a problem instead
    trustProxy: parts.trustProxy === true ? trustsOneProxy : parts.trustProxy,
    bodyLimit: LIMITS.BODY_BYTES,
    schemaController: lazySerializers,
    genReqId: requestIds(parts.random),
    routerOptions: { maxParamLength: LIMITS.URL_CHARACTERS_MAX },
    serverFactory: (handler) => rawServer(parts, handler),
    clientErrorHandler: refuseSocket,
    frameworkErrors: (error, request, reply) => sendProblem(error, request, reply),
  }).withTypeProvider<TypeBoxTypeProvider>() as unknown as Api;

  Settings.Set({ maxErrors: LIMITS.FIELD_ERRORS_MAX }); // the default of 8 could leave out invalid fields
  for (const schema of NAMED) app.addSchema(schema);
  app.setValidatorCompiler(lazyValidator);
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply));
  addRouteList(app);
  readBodies(app, parts.clock);
  app.decorateRequest("who");
  const headers = securityHeaders(parts.publicUrl);
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(headers).header("x-request-id", request.id);
    if (request.raw.url!.includes("%00"))
      throw new MaveError("REQUEST_MALFORMED", "The URL contains the character U+0000.");
  });
  await app.register(underPressure, { maxEventLoopDelay: LIMITS.EVENT_LOOP_DELAY_MS, retryAfter: 2 });
  return app;
}

/**
 * Returns the security headers of API responses. Pages and media override some of them. They are computed only once,
 * because helmet, which computes them for every request, took a tenth of the request time.
 */
function securityHeaders(publicUrl: string): Record<string, string> {
  return {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    ...(publicUrl.startsWith("https:") && { "strict-transport-security": "max-age=31536000" }),
  };
}

function readBodies(app: Api, clock: Clock): void {
  app.decorateRequest("rawBody", null);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser("application/json", async (request: FastifyRequest, stream: IncomingMessage) => {
    const { raw, value } = await readJsonBody(stream, clock.after);
    request.rawBody = raw;
    return value;
  });
  app.addHook("onResponse", async ({ raw }) => discardBody(raw, clock));
  // A missing body is treated as {}, so that the error lists every required field.
  app.addHook("preValidation", async (request) => {
    if (request.body === undefined && request.routeOptions.schema?.body) request.body = {};
  });
}

function rawServer(
  { publicUrl, tus }: ServerParts,
  handler: (...args: [IncomingMessage, ServerResponse]) => void,
): Server {
  const isHostAllowed = createHostCheck(publicUrl);
  const server = createServer(
    {
      maxHeaderSize: LIMITS.REQUEST_HEADERS_BYTES,
      requireHostHeader: false,
      connectionsCheckingInterval: LIMITS.REQUEST_HEADERS_CHECK_MS,
    },
    (request, response) => {
      if (!isHostAllowed(request, response)) return;
      if (tus?.(request, response)) return;
      handler(request, response);
    },
  );
  server.headersTimeout = LIMITS.REQUEST_HEADERS_MS;
  server.maxConnections = LIMITS.CONNECTIONS_MAX;
  server.requestTimeout = 0; // uploads can be slow; JSON bodies have their own timeout
  server.keepAliveTimeout = LIMITS.KEEP_ALIVE_MS;
  return server;
}

/** Returns a function that generates short ids, which are unique even across restarts. */
export function requestIds(random: Random): () => string {
  const start = random.bytes(6).toString("base64url");
  let count = 0;
  return () => `${start}-${(++count).toString(36)}`;
}

/** Responds to invalid or incomplete HTTP requests. */
function refuseSocket(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const [status, fault] =
    error.code === "ERR_HTTP_REQUEST_TIMEOUT"
      ? ["408 Request Timeout", new MaveError("REQUEST_TIMEOUT")]
      : error.code === "HPE_HEADER_OVERFLOW"
        ? [
            "431 Request Header Fields Too Large",
            new MaveError("REQUEST_MALFORMED", "The request headers are too large."),
          ]
        : ["400 Bad Request", new MaveError("REQUEST_MALFORMED", "The request is not valid HTTP/1.1.")];
  const body = JSON.stringify({ ...problem(fault as MaveError, "-"), status: Number.parseInt(status as string, 10) });
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
