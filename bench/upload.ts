/** Compares uploads to Mave, by PUT and by tus, to uploads to a bare Node server that writes to the same disk. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { pipeline, Readable } from "node:stream";
import { promisify } from "node:util";
import { request } from "undici";
import { startServer } from "../test/support/server.ts";
import { call } from "./lib/client.ts";
import { startProgram, watchMemory } from "./lib/processes.ts";
import { compare, megabytes, report, short } from "./lib/report.ts";

const large = process.argv.includes("--large");
const BYTES = large ? 2_000_000_000 : 500_000_000;
const ROUNDS = 3;
const CHUNK = Buffer.alloc(1_048_576, "a video, or not ");

const mave = await startServer({ MAVE_ROLES: "api,deliver" }); // no `process` role, which would compete for the CPU
const key = await mave.key();
const bare = await startProgram("bare-upload.ts", { FILE: join(mave.dataDir, "bare-upload") });
const authorization = `Bearer ${key}`;

function bytes(): Readable {
  let left = BYTES;
  return new Readable({
    read() {
      const chunk = left >= CHUNK.length ? CHUNK : CHUNK.subarray(0, left);
      left -= chunk.length;
      this.push(chunk.length === 0 ? null : chunk);
    },
  });
}

/** Uploads `BYTES` bytes. @returns the rate in MB/s */
async function send(url: string, method: "PUT" | "PATCH", headers: Record<string, string>): Promise<number> {
  const begin = performance.now();
  const body = pipeline(
    bytes(),
    async function* (source) {
      yield* source;
    },
    () => undefined,
  ) as unknown as Readable;
  const response = await request(url, {
    method,
    headers: { "content-length": String(BYTES), ...headers },
    body,
    reset: true, // a connection that was idle during the sync could close just as the next upload uses it
  });
  const text = await response.body.text();
  if (response.statusCode >= 300) throw new Error(`${url} returned ${response.statusCode}: ${text}`);
  return BYTES / 1_000 / (performance.now() - begin);
}

const newVideo = async () => (await call<{ id: string }>(mave.url, key, "POST", "/v1/videos", {})).id;

async function byPut(): Promise<number> {
  const id = await newVideo();
  return send(`${mave.url}/v1/videos/${id}/file`, "PUT", { authorization });
}

async function byTus(): Promise<number> {
  const id = await newVideo();
  const tus = { authorization, "tus-resumable": "1.0.0" };
  const metadata = `video ${Buffer.from(id).toString("base64")}`;
  const created = await fetch(`${mave.url}/v1/uploads`, {
    method: "POST",
    headers: { ...tus, "upload-length": String(BYTES), "upload-metadata": metadata },
  });
  const location = new URL(created.headers.get("location")!, mave.url).href;
  const type = "application/offset+octet-stream";
  return send(location, "PATCH", { ...tus, "upload-offset": "0", "content-type": type });
}

const toBare = () => send(bare.url, "PUT", {});

const before = watchMemory(mave.process().pid!)().own;
const watch = watchMemory(mave.process().pid!);
const rounds: { bare: number; put: number; tus: number }[] = [];
/**
 * Syncs the disk before the upload, so that the upload does not have to wait while the previous upload's dirty pages
 * are written.
 */
async function synced(upload: () => Promise<number>): Promise<number> {
  await promisify(execFile)("sync");
  return upload();
}

// Over three rounds, each method runs first, second and third once, because a virtual disk gets slower as more is
// written to it.
const ways = [
  ["bare", toBare],
  ["put", byPut],
  ["tus", byTus],
] as const;
for (let round = 0; round < ROUNDS; round++) {
  const rates = { bare: 0, put: 0, tus: 0 };
  for (const turn of ways.keys()) {
    const [way, upload] = ways[(round + turn) % ways.length]!;
    rates[way] = await synced(upload);
  }
  rounds.push(rates);
}
const growth = watch().own - before;

const row = (what: string, way: "put" | "tus") =>
  compare(
    `${megabytes(BYTES)} ${what}`,
    rounds.map((rates) => ({ value: rates[way], baseline: rates.bare })),
    { format: (rate) => `${short(rate)} MB/s`, label: "with a bare server", atLeast: 0.9 },
  );
report("upload", [
  row("with PUT", "put"),
  row("with tus", "tus"),
  {
    what: "server memory growth during these uploads",
    measured: megabytes(growth),
    target: "< 150 MB",
    holds: growth < 150_000_000,
  },
]);
await bare.end();
await mave.remove();
