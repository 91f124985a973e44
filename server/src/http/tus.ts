import type { IncomingMessage, ServerResponse } from "node:http";
import { Server } from "@tus/server";
import { NodeRequest, sendNodeResponse } from "srvx/node";
import type { ApiKeys } from "../auth/api-keys.ts";
import type { Clock } from "../kernel/clock.ts";
import { type ErrorCode, MaveError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Log } from "../kernel/log.ts";
import type { Database } from "../store/db.ts";
import { storeFailure } from "../store/failures.ts";
import { findUploadToken } from "../store/upload-tokens.ts";
import { declareUploadSize } from "../store/uploads.ts";
import { hashUploadToken, UPLOAD_TOKEN_PREFIX } from "../videos/library.ts";
import { TusStore } from "../videos/tus-store.ts";
import { checkSize, type Uploads } from "../videos/upload.ts";
import { dropRest } from "./drop-rest.ts";
import { gatheredBody } from "./gathered-body.ts";
import { problem } from "./problems.ts";

export const UPLOADS_PATH = "/v1/uploads";

export interface TusParts {
  db: Database;
  uploads: Uploads;
  apiKeys: Pick<ApiKeys, "identify">;
  log: Log;
  clock: Clock;
}

/**
 * tus 1.0 (https://tus.io/protocols/resumable-upload) at /v1/uploads: creation, creation-with-upload, expiration,
 * termination. Put before Fastify on the raw server: behind it, 0.7 of the throughput were left. That server must not
 * limit the time of a whole request; a silent sender is ended here.
 * @returns false where the request is none of its business
 */
export function createTusDoor(parts: TusParts): (request: IncomingMessage, response: ServerResponse) => boolean {
  const { uploads, db, log, clock } = parts;
  const store = new TusStore(uploads, async (id, size_bytes) => {
    checkSize(size_bytes, uploads.maxBytes);
    await declareUploadSize(db, id, size_bytes);
  });
  const server = createTusServer(parts, store);
  return (request, response) => {
    const path = request.url?.split("?", 1)[0] ?? "";
    if (path !== UPLOADS_PATH && !path.startsWith(`${UPLOADS_PATH}/`)) return false;
    // tus' own GET would hand out the file.
    if (!METHODS.has(request.method ?? "")) refuseMethod(response);
    else {
      request.setTimeout(LIMITS.UPLOAD_IDLE_MS, () => request.destroy());
      response.once("finish", () => dropRest(request, clock));
      handle(server, request, response).catch((error: unknown) => {
        log.warn({ error: String(error) }, "An upload's request broke off.");
        response.destroy();
      });
    }
    return true;
  };
}

/** As tus' own `handle`, but for its closing after a failure: with the rest of the file unread, the response would be lost. */
async function handle(server: Server, req: IncomingMessage, res: ServerResponse): Promise<void> {
  const response = await server.handleWeb(tusRequest(req, res));
  response.headers.delete("connection");
  await sendNodeResponse(res, response);
}

/** The request as tus reads it, its body in chunks that are worth their way. */
function tusRequest(req: IncomingMessage, res: ServerResponse) {
  let body: ReadableStream<Uint8Array> | undefined;
  return Object.defineProperty(new NodeRequest({ req, res }), "body", {
    get() {
      body ??= gatheredBody(req);
      return body;
    },
  });
}

const METHODS = new Set(["OPTIONS", "POST", "HEAD", "PATCH", "DELETE"]);

function refuseMethod(response: ServerResponse): void {
  response.writeHead(405, { allow: [...METHODS].join(", "), "content-type": PROBLEM, connection: "close" });
  response.end(JSON.stringify(problem(new MaveError("METHOD_UNKNOWN"), "-")));
}

type Request = Parameters<NonNullable<ConstructorParameters<typeof Server>[0]["onIncomingRequest"]>>[0];

/** Whose videos a request may upload to: a space's, or with a token one video only. */
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
    relativeLocation: true, // right behind every proxy and name
    maxSize: uploads.maxBytes,
    disableTerminationForFinishedUploads: true, // the video is what can be deleted then
    namingFunction: async (request, metadata) => {
      const uploader = await identify(parts, request);
      uploaders.set(request, uploader);
      return (await announce(uploads, uploader, request, metadata)).id;
    },
    async onIncomingRequest(request, id) {
      const uploader = uploaders.get(request) ?? (await identify(parts, request));
      const upload = await uploads.get(id);
      const theirs = upload?.space_id === uploader.space && upload.video_id === (uploader.video ?? upload.video_id);
      if (!theirs) throw new MaveError("NOT_FOUND");
    },
    async onUploadFinish(_request, upload) {
      await uploads.finish(upload.id);
      return {};
    },
    onResponseError: (_request, error) => asTusError(error, log),
  });
}

/** Begins an upload as its creation describes it. The row comes first, so that a file without one is always litter. */
async function announce(
  uploads: Uploads,
  uploader: Uploader,
  request: Request,
  metadata: Record<string, string | null> = {},
): Promise<{ id: string }> {
  const video = metadata.video ?? uploader.video;
  if (!video) {
    const detail = "Say in Upload-Metadata for which `video` (its id) the file is. Create the video first.";
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
    if (!token) throw new MaveError("KEY_INVALID", "This upload token is not known, or has expired.");
    return { space: token.space_id, video: token.video_id };
  }
  const who = await apiKeys.identify(bearer);
  if (!who) throw new MaveError("KEY_INVALID");
  if (who.scope !== "write") throw new MaveError("SCOPE_INSUFFICIENT");
  return { space: who.space, video: null };
}

const PROBLEM = "application/problem+json";

/** tus' server, whose failures are problems like all others; their status stays what the protocol wants. */
class ProblemServer extends Server {
  override write(...[context, headers, status, body = ""]: Parameters<Server["write"]>): ReturnType<Server["write"]> {
    if (status < 400) return super.write(context, headers, status, body);
    headers.set("Content-Type", PROBLEM);
    if (status === 401) headers.set("WWW-Authenticate", 'Bearer realm="mave"');
    const told = body.startsWith("{") ? body : JSON.stringify(sentenceProblem(status, body.trim()));
    return super.write(context, headers, status, told);
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

/** What tus says in words of its own. */
function sentenceProblem(status: number, sentence: string) {
  const code = CODES[status] ?? "REQUEST_MALFORMED";
  const detail = code === "INTERNAL" ? undefined : `${sentence.replace(/\.$/, "")}.`;
  return { ...problem(new MaveError(code, detail), "-"), status };
}

function asTusError(error: Error | { status_code: number; body: string }, log: Log) {
  if (error instanceof MaveError) return asProblem(error);
  if ("body" in error) return error;
  const failure = storeFailure(error);
  log.error({ error: String(error) }, "An upload's request failed.");
  return asProblem(new MaveError(failure ?? "INTERNAL"));
}

function asProblem(error: MaveError) {
  // To a HEAD, 4xx would make a client begin anew, and end the newer upload that ended this one: 423 makes it stop.
  const status_code = error.code === "UPLOAD_CONFLICT" ? 423 : error.status;
  return { status_code, body: JSON.stringify({ ...problem(error, "-"), status: status_code }) };
}
