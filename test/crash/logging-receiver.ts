import { createHash } from "node:crypto";
import { appendFileSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as pause } from "node:timers/promises";
import { verify } from "@mave/webhooks";

/** A request as the receiver saw it. The receiver writes each request to its log as one line before it responds. */
export interface Received {
  /** The time when the request's headers arrived. */
  began_ms: number;
  /** The time just before the receiver responds, closes the connection or leaves it hanging. */
  at_ms: number;
  /** The URL's path, which identifies the webhook. */
  path: string;
  event: string;
  type: string;
  video: string;
  delivery: string;
  attempt: number;
  sequence: number;
  previous: number;
  /** The SHA-256 of the body, which must be the same in every attempt for an event. */
  digest: string;
  /** Whether the signature matches the webhook's secret. */
  verified: boolean;
  /** The response status, or null if the connection was closed or left open without a response. */
  responded: number | null;
}

export interface LoggingReceiver {
  url(path: string): string;
  secrets: Map<string, string>;
  /** Returns all requests logged so far. */
  read(): Received[];
  /** The number of requests in progress. */
  inFlight(): number;
  close(): Promise<void>;
}

interface Behavior {
  /** Null to close the connection instead of responding. */
  status: number | null;
  wait_ms?: number;
  /** Whether to leave the connection open instead of responding. */
  hangs?: boolean;
  body?: () => AsyncIterable<Buffer>;
}

/**
 * How the receiver behaves on each path. The behavior depends only on the delivery and the attempt, so that runs can be
 * reproduced.
 */
const BEHAVIORS: Record<string, (chance: number, attempt: number) => Behavior> = {
  "/healthy": () => ({ status: 200 }),
  "/flaky": (chance, attempt) => ({ status: chance < 0.25 && attempt < 4 ? 500 : 204 }),
  "/slow": (chance) => ({ status: 200, wait_ms: 20 + chance * 80 }),
  "/rude": (chance, attempt) => ({ status: chance < 0.3 && attempt < 4 ? null : 200 }),
  "/hostile": (chance, attempt) => {
    if (chance < HANGS && attempt < 4) return { status: null, hangs: true };
    return { status: 200, ...(chance < DRIPS ? { body: drip } : chance < FLOODS && { body: flood }) };
  },
};

/**
 * Cumulative probabilities that a request hangs, drips or floods. Only a few requests hang, because each of them blocks
 * its video and delays the end of the test until its attempt times out.
 */
const [HANGS, DRIPS, FLOODS] = [0.02, 0.12, 0.25];
const DRIP_BYTES = 10;
const DRIP_MS = 50;

async function* drip(): AsyncIterable<Buffer> {
  for (let byte = 0; byte < DRIP_BYTES; byte += 1) {
    await pause(DRIP_MS);
    yield Buffer.from(".");
  }
}

/** Yields bytes until the sender closes the connection. */
async function* flood(): AsyncIterable<Buffer> {
  for (const piece = Buffer.alloc(16_384, "."); ; ) yield piece;
}

/**
 * Starts a receiver that logs each request to a file before it responds. The file is an independent record of all
 * requests, including those whose sender was killed.
 */
export async function startLoggingReceiver(file: string): Promise<LoggingReceiver> {
  const secrets = new Map<string, string>();
  let inFlight = 0;
  const server = createServer(async (request, response) => {
    inFlight += 1;
    response.once("close", () => (inFlight -= 1));
    const began_ms = Date.now();
    const body = await readBody(request).catch(() => null);
    if (body !== null) await handle({ file, secrets, began_ms, body }, request, response);
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: (path) => `http://127.0.0.1:${port}${path}`,
    secrets,
    read: () => readLog(file),
    inFlight: () => inFlight,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Arrived {
  file: string;
  secrets: Map<string, string>;
  began_ms: number;
  body: Buffer;
}

async function handle(
  { file, secrets, began_ms, body }: Arrived,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = request.url!;
  const header = (name: string) => String(request.headers[name]);
  const event = JSON.parse(body.toString()) as { id: string; type: string; data: { id: string } };
  const [delivery, attempt] = [header("mave-delivery"), Number(header("mave-attempt"))];
  const { status, wait_ms = 0, hangs, body: content } = BEHAVIORS[path]!(chance(`${delivery}.${attempt}`), attempt);
  if (wait_ms > 0) await pause(wait_ms);
  const line: Received = {
    began_ms,
    at_ms: Date.now(),
    path,
    event: event.id,
    type: event.type,
    video: event.data.id,
    delivery,
    attempt,
    sequence: Number(header("mave-sequence")),
    previous: Number(header("mave-previous")),
    digest: createHash("sha256").update(body).digest("hex"),
    verified: await isVerified(body, request, secrets.get(path)),
    responded: status,
  };
  appendFileSync(file, `${JSON.stringify(line)}\n`);
  if (hangs) return;
  if (status === null) request.socket.destroy();
  else if (content === undefined) response.writeHead(status).end();
  else await pipeline(Readable.from(content()), response.writeHead(status)).catch(() => {}); // the sender may close the connection early
}

async function isVerified(body: Buffer, request: IncomingMessage, secret: string | undefined): Promise<boolean> {
  if (secret === undefined) return false;
  return verify(body, request.headers as Record<string, string>, secret).then(
    () => true,
    () => false,
  );
}

const chance = (text: string): number => createHash("sha256").update(text).digest().readUInt32BE(0) / 2 ** 32;

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

function readLog(file: string): Received[] {
  try {
    return readFileSync(file, "utf8")
      .split("\n")
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Received);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
