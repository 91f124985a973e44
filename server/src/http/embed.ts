import { fileURLToPath } from "node:url";
import type { FastifyReply } from "fastify";
import { Type } from "typebox";
import { MaveError } from "../kernel/errors.ts";
import type { Database } from "../store/db.ts";
import { getPublicVideo } from "../store/videos.ts";
import { type Embed, embedOf, oembed } from "../videos/embed.ts";
import { embedPage } from "../videos/embed-page.ts";
import { isVideoId } from "../videos/video.ts";
import type { Api } from "./api.ts";
import { loadEmbedAssets } from "./embed-assets.ts";

export interface EmbedParts {
  db: Database;
  publicUrl: string;
}

const BUILT = fileURLToPath(new URL("../../../dashboard/embed/dist", import.meta.url));
const ANYONE = { access: "anyone" as const, unlimited: true };
const params = Type.Object({ id: Type.String() });

/** Adds the public routes for videos: the page, the state that it polls, and oEmbed. */
export async function embedRoutes(app: Api, parts: EmbedParts): Promise<void> {
  const { publicUrl } = parts;
  const assets = await loadEmbedAssets(BUILT);
  app.get("/:id", { schema: { hide: true, params }, config: ANYONE }, async ({ params }, reply) => {
    if (!isVideoId(params.id)) throw new MaveError("ROUTE_UNKNOWN");
    const embed = await find(parts, params.id);
    const status = embed === null ? 404 : embed.status === "deleted" ? 410 : 200;
    return sendPage(reply, status, embedPage(embed, { publicUrl, script: assets.script }));
  });
  app.get("/embed/state/:id", { schema: { hide: true, params }, config: ANYONE }, async ({ params }, reply) => {
    const embed = await find(parts, params.id);
    if (embed === null) throw new MaveError("NOT_FOUND");
    const { status, progress } = embed;
    reply.code(status === "deleted" ? 410 : 200).headers({ "cache-control": "no-store", ...PUBLIC });
    return reply.send({ status, progress });
  });
  oembedRoute(app, parts);
  const file = Type.Object({ file: Type.String() });
  app.get("/embed/assets/:file", { schema: { hide: true, params: file }, config: ANYONE }, async (request, reply) =>
    assets.send(request.params.file, request.headers["accept-encoding"] ?? "", reply),
  );
}

async function find({ db, publicUrl }: EmbedParts, id: string): Promise<Embed | null> {
  const row = isVideoId(id) ? await getPublicVideo(db, id) : undefined;
  return row ? embedOf(row, publicUrl) : null;
}

/** Lets any site read these responses, because they contain only what the public page shows. */
const PUBLIC = { "access-control-allow-origin": "*", "cross-origin-resource-policy": "cross-origin" };

/**
 * The page loads nothing from other origins, but any site can embed it. The player plays media from blobs and uses
 * inline styles.
 */
const POLICY = [
  ...["default-src 'none'", "script-src 'self'", "style-src 'self' 'unsafe-inline'", "img-src 'self' data: blob:"],
  ...["media-src 'self' blob:", "connect-src 'self'", "worker-src blob:", "font-src 'self'"],
  ...["base-uri 'none'", "form-action 'none'", "frame-ancestors *"],
].join("; ");

function sendPage(reply: FastifyReply, status: number, page: string): FastifyReply {
  reply.removeHeader("x-frame-options");
  return reply
    .code(status)
    .headers({
      "content-security-policy": POLICY,
      "cross-origin-resource-policy": "cross-origin",
      "x-content-type-options": "nosniff",
      "referrer-policy": "strict-origin-when-cross-origin",
      "cache-control": "no-cache",
    })
    .type("text/html; charset=utf-8")
    .send(page);
}

const OembedQuery = Type.Object({
  url: Type.String({ description: "The URL of a video's page." }),
  maxwidth: Type.Optional(Type.Integer({ minimum: 1, description: "Pixels." })),
  maxheight: Type.Optional(Type.Integer({ minimum: 1, description: "Pixels." })),
  format: Type.Optional(Type.String({ description: "`json`; any other value returns 501." })),
});

/** Adds oEmbed (https://oembed.com), which lets other sites embed a video. */
function oembedRoute(app: Api, parts: EmbedParts): void {
  const schema = { hide: true, querystring: OembedQuery };
  app.get("/oembed", { schema, config: ANYONE }, async ({ query }, reply) => {
    const { url, maxwidth = Number.POSITIVE_INFINITY, maxheight = Number.POSITIVE_INFINITY, format = "json" } = query;
    if (format !== "json") throw new MaveError("FORMAT_UNSUPPORTED", "This server supports oEmbed only as JSON.");
    const embed = await find(parts, idOf(url, parts.publicUrl));
    if (embed?.status !== "ready") throw new MaveError("NOT_FOUND", "No playable video has this URL.");
    reply.headers({ "cache-control": "public, max-age=300", ...PUBLIC });
    return reply.send(oembed(embed, parts.publicUrl, { width: maxwidth, height: maxheight }));
  });
}

/** Returns the video id from the URL of a video page, or "" for any other URL. */
function idOf(url: string, publicUrl: string): string {
  if (!URL.canParse(url)) return "";
  const { origin, pathname } = new URL(url);
  return origin === new URL(publicUrl).origin ? pathname.slice(1) : "";
}
