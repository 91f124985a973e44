import type { IncomingMessage, ServerResponse } from "node:http";
import { Server } from "@tus/server";
import { NodeRequest, sendNodeResponse } from "srvx/node";
import type { ApiKeys } from "../auth/api-keys.ts";
import type { Clock } from "../kernel/clock.ts";
import { type ErrorCode, MaveError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Log } from "../kernel/log.ts";
import type { Random } from "../kernel/random.ts";
import type { Database } from "../store/db.ts";
import { storeFailure } from "../store/failures.ts";
import { findUploadToken } from "../store/upload-tokens.ts";
import { declareUploadSize } from "../store/uploads.ts";
import { hashUploadToken, UPLOAD_TOKEN_PREFIX } from "../videos/library.ts";
import { TusStore } from "../videos/tus-store.ts";
import { checkSize, type Uploads } from "../videos/upload.ts";
import { batchedBody } from "./batched-body.ts";
import { discardBody } from "./discard-body.ts";
import { problem } from "./problems.ts";
import { requestIds } from "./server.ts";

export const UPLOADS_PATH = "/v1/uploads";

export interface TusParts {
  db: Database;
  uploads: Uploads;
  apiKeys: Pick<ApiKeys, "identify">;
  log: Log;
  clock: Clock;
  random: Random;
}

/**
 * Implements tus 1.0 (https://tus.io/protocols/resumable-upload) at /v1/uploads, with the extensions creation,
 * creation-with-upload, expiration and termination. It runs on the raw server, ahead of Fastify, because running it
 * inside Fastify reduced throughput to 70%. The raw server must not limit a request's total time, so this handler
 * disconnects idle clients instead.
 * @returns a handler that returns false for requests to other paths
 */
export function createTusHandler(parts: TusParts): (request: IncomingMessage, response: ServerResponse) => boolean {
  const { uploads, db, log, clock } = parts;
  const store = new TusStore(uploads, async (id, size_bytes) => {
    checkSize(size_bytes, uploads.maxBytes);
    await declareUploadSize(db, id, size_bytes);
  });
  const server = createTusServer(parts, store);
  const newId = requestIds(parts.random);
  return (request, response) => {
    const path = request.url?.split("?", 1)[0] ?? "";
    if (path !== UPLOADS_PATH && !path.startsWith(`${UPLOADS_PATH}/`)) return false;
    // GET is refused, because the tus library would return the uploaded file.
    const id = newId();
    request.headers[REQUEST_ID] = id; // read where an error becomes a problem
    response.setHeader(REQUEST_ID, id);
    if (!METHODS.has(request.method ?? "")) refuseMethod(response, id);
    else {
      request.setTimeout(LIMITS.UPLOAD_IDLE_MS, () => request.destroy());
      response.once("finish", () => discardBody(request, clock));
      handle(server, request, response).catch((err: unknown) => {
        log.warn({ err, path, request: id }, "Upload request aborted; the client can resume");
        response.destroy();
      });
    }
    return true;
  };
}

/**
 * Works like the library's `handle`, but keeps the connection open after an error, because closing it would lose the
 * response.
 */
async function handle(server: Server, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const response = await server.handleWeb(tusRequest(req, res));
  response.headers.delete("connection");
  await sendNodeResponse(res, response);
}

/** Wraps the request for the tus library, with a batched body. */
function tusRequest(req: IncomingMessage, res: ServerResponse) {
  let body: ReadableStream<Uint8Array> | undefined;
  return Object.defineProperty(new NodeRequest({ req, res }), "body", {
    get() {
      body ??= batchedBody(req);
      return body;
    },
  });
}

const REQUEST_ID = "x-request-id";
const METHODS = new Set(["OPTIONS", "POST", "HEAD", "PATCH", "DELETE"]);

function refuseMethod(response: ServerResponse, id: string): void {
  response.writeHead(405, { allow: [...METHODS].join(", "), "content-type": PROBLEM, connection: "close" });
  response.end(JSON.stringify(problem(new MaveError("METHOD_UNKNOWN"), id)));
}

type Request = Parameters<NonNullable<ConstructorParameters<typeof Server>[0]["onIncomingRequest"]>>[0];

/** What a request can upload to: any video in a space or, with an upload token, one video. */
interface Uploader {
  space: string;
  video: string | null;
}

function createTusServer(parts: TusParts, datastore: TusStore): ProblemServer {
  const { uploads, log } = parts;
  const uploaders = new WeakMap<Request, Uploader>();
  return new ProblemServer({
    path: UPLOADS_PATH,
    datastore,
    relativeLocation: true, // a relative URL is correct behind any proxy
    maxSize: uploads.maxBytes,
    disableTerminationForFinishedUploads: true, // clients delete the video instead
    namingFunction: async (request, metadata) => {
      const uploader = await identify(parts, request);
      uploaders.set(request, uploader);
      return (await createUpload(uploads, uploader, request, metadata)).id;
    },
    async onIncomingRequest(request, id) {
      const uploader = uploaders.get(request) ?? (await identify(parts, request));
      const upload = await uploads.get(id);
      const isAllowed = upload?.space_id === uploader.space && upload.video_id === (uploader.video ?? upload.video_id);
      if (!isAllowed) throw new MaveError("NOT_FOUND");
    },
    async onUploadFinish(_request, upload) {
      await uploads.finish(upload.id);
      return {};
    },
    onResponseError: (request, error) => toTusError(error, request.headers.get(REQUEST_ID) ?? "-", log),
  });
}

/** Inserts the row before the file is created, so that a file without a row is always garbage. */
async function createUpload(
  uploads: Uploads,
  uploader: Uploader,
  request: Request,
  metadata: Record<string, string | null> = {},
): Promise<{ id: string }> {
  const video = metadata.video ?? uploader.video;
  if (!video) {
    const detail = "Upload-Metadata has no `video`. Create a video and send its id as `video`.";
    throw new MaveError("REQUEST_INVALID", detail, { errors: [{ path: "/video", detail }] });
  }
  if (uploader.video !== null && uploader.video !== video) throw new MaveError("NOT_FOUND");
  const length = request.headers.get("upload-length");
  const size_bytes = length === null ? null : Number.parseInt(length, 10);
  const name = metadata.filename ?? metadata.name ?? null;
  return uploads.begin(uploader.space, video, { resumable: true, name, size_bytes });
}

async function identify({ db, apiKeys }: TusParts, request: Request): Promise<Uploader> {
  const bearer = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "")?.[1];
  if (bearer === undefined)
    throw new MaveError("KEY_MISSING", "Send an API key or an upload token as `Authorization: Bearer …`.");
  if (bearer.startsWith(UPLOAD_TOKEN_PREFIX)) {
    const token = await findUploadToken(db, hashUploadToken(bearer));
    if (!token) throw new MaveError("KEY_INVALID", "This upload token does not exist or has expired.");
    return { space: token.space_id, video: token.video_id };
  }
  const who = await apiKeys.identify(bearer);
  if (!who) throw new MaveError("KEY_INVALID");
  if (who.scope !== "write") throw new MaveError("SCOPE_INSUFFICIENT");
  return { space: who.space, video: null };
}

const PROBLEM = "application/problem+json";

/** A tus server that sends errors as problems, with the statuses that the protocol requires. */
class ProblemServer extends Server {
  override write(...[context, headers, status, body = ""]: Parameters<Server["write"]>): ReturnType<Server["write"]> {
    if (status < 400) return super.write(context, headers, status, body);
    headers.set("Content-Type", PROBLEM);
    if (status === 401) headers.set("WWW-Authenticate", 'Bearer realm="mave"');
    const text = body.startsWith("{") ? body : JSON.stringify(libraryProblem(status, body.trim()));
    return super.write(context, headers, status, text);
  }
}

const CODES: Record<number, ErrorCode> = {
  404: "NOT_FOUND",
  409: "UPLOAD_CONFLICT",
  410: "NOT_FOUND",
  413: "REQUEST_TOO_LARGE",
  415: "REQUEST_UNSUPPORTED",
  500: "INTERNAL",
};

/** Converts an error from the tus library to a problem. */
function libraryProblem(status: number, sentence: string) {
  const code = CODES[status] ?? "REQUEST_MALFORMED";
  const detail = code === "INTERNAL" ? undefined : `${sentence.replace(/\.$/, "")}.`;
  return { ...problem(new MaveError(code, detail), "-"), status };
}

function toTusError(error: Error | { status_code: number; body: string }, request: string, log: Log) {
  if (error instanceof MaveError) return tusProblem(error, request);
  if ("body" in error) return error;
  const failure = storeFailure(error);
  log.error({ err: error, request }, "Upload request failed");
  return tusProblem(new MaveError(failure ?? "INTERNAL"), request);
}

function tusProblem(error: MaveError, request: string) {
  // After most 4xx statuses, a client starts its upload again, which would cancel the newer upload that replaced it.
  // A 423 stops the client.
  const status_code = error.code === "UPLOAD_CONFLICT" ? 423 : error.status;
  return { status_code, body: JSON.stringify({ ...problem(error, request), status: status_code }) };
}
