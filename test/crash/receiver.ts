import { createHash } from "node:crypto";
import { appendFileSync, readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { setTimeout as pause } from "node:timers/promises";
import { verify } from "@mave/webhooks";

/** One request as the receiver saw it: a line of its log, written before it answers. */
export interface Received {
  /** When its headers were there. */
  began_ms: number;
  /** When it was about to be answered, or to be left without a response. */
  at_ms: number;
  /** The path that it came to: which of the test's webhooks. */
  path: string;
  event: string;
  type: string;
  video: string;
  delivery: string;
  attempt: number;
  sequence: number;
  previous: number;
  /** Of the body's bytes: every attempt of an event must send the same. */
  digest: string;
  /** What verification with the webhook's secret said. */
  verified: boolean;
  /** What it was answered; null: nothing, the connection was cut or left hanging. */
  answered: number | null;
}

export interface LoggingReceiver {
  url(path: string): string;
  secrets: Map<string, string>;
  /** Every line of the log file so far. */
  read(): Received[];
  /** Requests that have come and are not answered yet. */
  open(): number;
  close(): Promise<void>;
}

interface Manner {
  /** null: none, the connection is cut. */
  status: number | null;
  wait_ms?: number;
  /** It is not cut either. */
  hangs?: boolean;
  /** What follows the status; nothing, where it is left out. */
  body?: () => AsyncIterable<Buffer>;
}

/** What each path does with a request. The choice hangs on the delivery and attempt only, so that it can be repeated. */
const MANNERS: Record<string, (chance: number, attempt: number) => Manner> = {
  "/healthy": () => ({ status: 200 }),
  "/flaky": (chance, attempt) => ({ status: chance < 0.25 && attempt < 4 ? 500 : 204 }),
  "/slow": (chance) => ({ status: 200, wait_ms: 20 + chance * 80 }),
  "/rude": (chance, attempt) => ({ status: chance < 0.3 && attempt < 4 ? null : 200 }),
  "/hostile": (chance, attempt) => {
    if (chance < HANGS && attempt < 4) return { status: null, hangs: true };
    return { status: 200, ...(chance < DRIPS ? { body: drip } : chance < FLOODS && { body: flood }) };
  },
};

/** Few of them hang: each holds its video, and a drain, for as long as an attempt may take. */
const [HANGS, DRIPS, FLOODS] = [0.02, 0.12, 0.25];
const DRIP_BYTES = 10;
const DRIP_MS = 50;

async function* drip(): AsyncIterable<Buffer> {
  for (let byte = 0; byte < DRIP_BYTES; byte += 1) {
    await pause(DRIP_MS);
    yield Buffer.from(".");
  }
}

/** Until its sender has enough of it. */
async function* flood(): AsyncIterable<Buffer> {
  for (const piece = Buffer.alloc(16_384, "."); ; ) yield piece;
}

/**
 * A receiver that shares nothing with the product but the wire: it logs each request to a file before it answers, so that
 * the file is a witness of its own of what was sent, however the sender ended.
 */
export async function startLoggingReceiver(file: string): Promise<LoggingReceiver> {
  const secrets = new Map<string, string>();
  let open = 0;
  const server = createServer(async (request, response) => {
    open += 1;
    response.once("close", () => (open -= 1));
    const began_ms = Date.now();
    const body = await readBody(request).catch(() => null);
    if (body !== null) await take({ file, secrets, began_ms, body }, request, response);
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: (path) => `http://127.0.0.1:${port}${path}`,
    secrets,
    read: () => readLog(file),
    open: () => open,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Taken {
  file: string;
  secrets: Map<string, string>;
  began_ms: number;
  body: Buffer;
}

async function take(
  { file, secrets, began_ms, body }: Taken,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const path = request.url!;
  const header = (name: string) => String(request.headers[name]);
  const event = JSON.parse(body.toString()) as { id: string; type: string; data: { id: string } };
  const [delivery, attempt] = [header("mave-delivery"), Number(header("mave-attempt"))];
  const { status, wait_ms = 0, hangs, body: content } = MANNERS[path]!(chance(`${delivery}.${attempt}`), attempt);
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
    answered: status,
  };
  appendFileSync(file, `${JSON.stringify(line)}\n`);
  if (hangs) return;
  if (status === null) request.socket.destroy();
  else if (content === undefined) response.writeHead(status).end();
  else await pipeline(Readable.from(content()), response.writeHead(status)).catch(() => {}); // its sender had enough
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
