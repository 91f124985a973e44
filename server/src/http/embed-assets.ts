import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { gzip } from "node:zlib";
import type { FastifyReply } from "fastify";
import { MaveError } from "../kernel/errors.ts";

/**
 * The player's built scripts. They are few and small, so all of them are kept in memory. Each is compressed when it is
 * first requested.
 */
export interface EmbedAssets {
  /** The URL of the main script; null if the player is not built. */
  script: string | null;
  /** @throws NOT_FOUND */
  send(file: string, acceptEncoding: string, reply: FastifyReply): Promise<FastifyReply>;
}

const HEADERS = {
  "cache-control": "public, max-age=31536000, immutable", // a file's name changes with its content
  "content-type": "text/javascript; charset=utf-8",
  "cross-origin-resource-policy": "cross-origin",
  "x-content-type-options": "nosniff",
  vary: "accept-encoding",
};

/** @param folder the player's build output */
export async function loadEmbedAssets(folder: string): Promise<EmbedAssets> {
  const files = new Map<string, { plain: Buffer; zipped?: Promise<Buffer> }>();
  const names = await readdir(join(folder, "assets")).catch(() => []); // without a built player, pages show a message
  await Promise.all(
    names.map(async (name) => {
      files.set(name, { plain: await readFile(join(folder, "assets", name)) });
    }),
  );
  const script = names.length > 0 ? await entryOf(folder) : null;
  return {
    script,
    async send(file, acceptEncoding, reply) {
      const found = files.get(file);
      if (!found) throw new MaveError("NOT_FOUND");
      reply.headers(HEADERS);
      if (!/\bgzip\b/.test(acceptEncoding)) return reply.send(found.plain);
      found.zipped ??= promisify(gzip)(found.plain);
      return reply.header("content-encoding", "gzip").send(await found.zipped);
    },
  };
}

async function entryOf(folder: string): Promise<string> {
  const manifest = JSON.parse(await readFile(join(folder, "manifest.json"), "utf8")) as Record<
    string,
    { file: string }
  >;
  return `/embed/${manifest["main.ts"]!.file}`;
}
