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
import { compileValidator, serializers } from "./compilers.ts";
import { dropRest } from "./drop-rest.ts";
import { createHostCheck } from "./host-check.ts";
import { readJsonBody } from "./json-body.ts";
import { problem, sendProblem } from "./problems.ts";
import { NAMED } from "./schemas/index.ts";
import { rememberRoutes } from "./unknown-routes.ts";

export interface ServerParts {
  publicUrl: string;
  trustProxy: boolean | string[];
  log: Log;
  clock: Clock;
  random: Random;
  /** What takes a request before the API does, such as tus: true where it did. */
  before?: (request: IncomingMessage, response: ServerResponse) => boolean;
}

/**
 * The web server without its routes: how requests are read, checked, refused and answered, whatever they ask for.
 *
 *     Host check → (tus) → request id → who asks → rate limit → body → schema → route → response, or a problem
 */
export async function createServerFrame(parts: ServerParts): Promise<Api> {
  const app = fastify({
    loggerInstance: parts.log,
    logController: new LogController({ disableRequestLogging: true }),
    childLoggerFactory: (logger) => logger, // one a request is made, also where nothing is logged
    return503OnClosing: false, // the routes' own hook refuses in the form of a problem
    trustProxy: parts.trustProxy,
    bodyLimit: LIMITS.BODY_BYTES,
    schemaController: serializers,
    genReqId: requestIds(parts.random),
    routerOptions: { maxParamLength: LIMITS.URL_CHARACTERS_MAX },
    serverFactory: (handler) => rawServer(parts, handler),
    clientErrorHandler: refuseSocket,
    frameworkErrors: (error, request, reply) => sendProblem(error, request, reply),
  }).withTypeProvider<TypeBoxTypeProvider>() as unknown as Api;

  Settings.Set({ maxErrors: LIMITS.FIELD_ERRORS_MAX }); // its own 8 would leave bad fields unsaid
  for (const schema of NAMED) app.addSchema(schema);
  app.setValidatorCompiler(compileValidator);
  app.setErrorHandler((error, request, reply) => sendProblem(error, request, reply));
  rememberRoutes(app);
  readBodies(app, parts.clock);
  app.decorateRequest("who");
  const headers = securityHeaders(parts.publicUrl);
  app.addHook("onRequest", async (request, reply) => {
    reply.headers(headers).header("x-request-id", request.id);
    if (request.raw.url!.includes("%00")) throw new MaveError("REQUEST_MALFORMED", "The address holds U+0000.");
  });
  await app.register(underPressure, { maxEventLoopDelay: LIMITS.EVENT_LOOP_DELAY_MS, retryAfter: 2 });
  return app;
}

/**
 * What a browser must not do with a response of the API; pages and media say what they allow instead. Written down as they
 * are: made anew for each request, as by helmet, they took a tenth of a request's time.
 */
function securityHeaders(publicUrl: string): Record<string, string> {
  return {
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
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
  app.addHook("onResponse", async ({ raw }) => dropRest(raw, clock));
  // Without a body every field that must be there is missing: said so, field by field.
  app.addHook("preValidation", async (request) => {
    if (request.body === undefined && request.routeOptions.schema?.body) request.body = {};
  });
}

function rawServer(
  { publicUrl, before }: ServerParts,
  handler: (...args: [IncomingMessage, ServerResponse]) => void,
): Server {
  const hostIsOurs = createHostCheck(publicUrl);
  const server = createServer(
    { maxHeaderSize: LIMITS.REQUEST_HEADERS_BYTES, requireHostHeader: false },
    (request, response) => {
      if (!hostIsOurs(request, response)) return;
      if (before?.(request, response)) return;
      handler(request, response);
    },
  );
  server.headersTimeout = LIMITS.REQUEST_HEADERS_MS;
  server.requestTimeout = 0; // an upload takes its time; JSON bodies have a clock of their own
  server.keepAliveTimeout = LIMITS.KEEP_ALIVE_MS;
  return server;
}

/** Unique over restarts, and short enough to be read out. */
function requestIds(random: Random): () => string {
  const start = random.bytes(6).toString("base64url");
  let count = 0;
  return () => `${start}-${(++count).toString(36)}`;
}

/** What is no HTTP at all, or never became a whole request. */
function refuseSocket(error: Error & { code?: string }, socket: Socket): void {
  if (error.code === "ECONNRESET" || !socket.writable) return void socket.destroy();
  const [status, fault] =
    error.code === "ERR_HTTP_REQUEST_TIMEOUT"
      ? ["408 Request Timeout", new MaveError("REQUEST_TIMEOUT")]
      : error.code === "HPE_HEADER_OVERFLOW"
        ? ["431 Request Header Fields Too Large", new MaveError("REQUEST_MALFORMED", "The header is too large.")]
        : ["400 Bad Request", new MaveError("REQUEST_MALFORMED", "This is not HTTP/1.1.")];
  const body = JSON.stringify({ ...problem(fault as MaveError, "-"), status: Number.parseInt(status as string, 10) });
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/problem+json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
}
