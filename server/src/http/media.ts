import { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { Type } from "typebox";
import { MaveError } from "../kernel/errors.ts";
import type { Blobs } from "../videos/blobs.ts";
import type { Api } from "./api.ts";

/**
 * How to serve each kind of file. The content at a URL never changes, but a deleted video must disappear from caches:
 * playlists, without which nothing plays, are always revalidated, and everything else is kept for at most a day.
 */
const KINDS: Record<string, { type: string; cache: string }> = {
  m3u8: { type: "application/vnd.apple.mpegurl", cache: "public, no-cache" },
  mp4: { type: "video/mp4", cache: "public, max-age=86400" },
  jpg: { type: "image/jpeg", cache: "public, max-age=3600" },
  vtt: { type: "text/vtt; charset=utf-8", cache: "public, max-age=3600" },
};

/** Any site can read these files. */
const HEADERS = {
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "content-length, content-range, accept-ranges, etag",
  "cross-origin-resource-policy": "cross-origin",
  "x-content-type-options": "nosniff",
  "accept-ranges": "bytes",
};

const params = Type.Object({ video: Type.String(), folder: Type.String(), file: Type.String() });

/** Serves `/media/<video>/<version>/<file>`, including range requests. Files of a deleted video return 404. */
export async function mediaRoutes(app: Api, { blobs }: { blobs: Blobs }): Promise<void> {
  const route = { schema: { hide: true, params }, config: { access: "anyone" as const, unlimited: true } };
  app.get("/media/:video/:folder/:file", route, async (request, reply) => sendMedia(blobs, request, reply));
  app.options("/media/:video/:folder/:file", route, (_request, reply) =>
    reply
      .headers(HEADERS)
      .headers({ "access-control-allow-methods": "GET, HEAD", "access-control-allow-headers": "range, if-none-match" })
      .header("access-control-max-age", "86400")
      .code(204)
      .send(),
  );
}

async function sendMedia(blobs: Blobs, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const { video, folder, file } = request.params as { video: string; folder: string; file: string };
  const key = `${video}/${folder}/${file}`;
  const kind = KINDS[file.slice(file.lastIndexOf(".") + 1)];
  const found = kind && (await blobs.head(key));
  if (!found) throw new MaveError("NOT_FOUND");
  const etag = `"${found.bytes.toString(36)}-${found.modified.getTime().toString(36)}"`;
  const { type, cache } = kind;
  reply.headers({ ...HEADERS, "content-type": type, "cache-control": cache, etag });
  reply.header("last-modified", found.modified.toUTCString());
  if (request.headers["if-none-match"]?.includes(etag)) return reply.code(304).send();
  const range = readRange(request.headers, found.bytes, etag);
  if (range === "unsatisfiable")
    return reply.code(416).header("content-range", `bytes */${found.bytes}`).header("cache-control", "no-store").send();
  const { start, end } = range ?? { start: 0, end: found.bytes - 1 };
  reply.code(range ? 206 : 200).header("content-length", end - start + 1);
  if (range) reply.header("content-range", `bytes ${start}-${end}/${found.bytes}`);
  // Sends an empty stream, because Fastify sets Content-Length to 0 if there is no body.
  if (request.method === "HEAD") return reply.send(Readable.from([]));
  const stream = await blobs.getRange(key, start, end);
  if (!stream) throw new MaveError("NOT_FOUND");
  return reply.send(stream);
}

/**
 * Returns the requested byte range, with both ends inclusive, or null for the whole file. A request for multiple ranges
 * gets the whole file, as RFC 9110 §14.2 allows.
 */
export function readRange(
  headers: { range?: string | undefined; "if-range"?: string | undefined },
  bytes: number,
  etag: string,
): { start: number; end: number } | "unsatisfiable" | null {
  const { range, "if-range": unless } = headers;
  const parts = /^bytes=(\d*)-(\d*)$/.exec(range ?? "");
  if (!parts || parts[0] === "bytes=-" || (unless !== undefined && unless !== etag)) return null;
  const [, from, to] = parts;
  if (from === "") {
    const last = Number(to);
    return last === 0 || bytes === 0 ? "unsatisfiable" : { start: Math.max(0, bytes - last), end: bytes - 1 };
  }
  const start = Number(from);
  const end = to === "" ? bytes - 1 : Math.min(Number(to), bytes - 1);
  if (to !== "" && Number(to) < start) return null;
  return start >= bytes ? "unsatisfiable" : { start, end };
}
