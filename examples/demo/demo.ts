/**
 * Shows that no event is lost when the server is killed. The demo runs a real server and a receiver, uploads a video,
 * kills the server while it processes the video, and restarts it. `npm run demo` runs it in a temporary folder.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createKey, freePort, type Mave, type Place, startMave } from "./mave.ts";
import { type Receipt, type Receiver, startReceiver } from "./receiver.ts";
import { makeVideo } from "./video.ts";

const WITHIN_MS = 120_000; // the demo takes 10 s on an idle machine
const EVENTS = ["video.created", "video.processing", "video.uploaded", "video.deleted"] as const;

const terminal = process.stdout.isTTY === true && !process.env.NO_COLOR;
const paint = (code: number) => (text: string) => (terminal ? `\x1b[${code}m${text}\x1b[0m` : text);
const [bold, red, green, grey] = [paint(1), paint(31), paint(32), paint(90)];

/** When the current step started. The latencies of its events are measured from here. */
let stepStart = 0;

function step(title: string): void {
  stepStart = performance.now();
  console.log(`\n${bold(title)}`);
}

function show({ event, attempt, isDuplicate }: Receipt): void {
  const latency = `${Math.round(performance.now() - stepStart)} ms`.padStart(8);
  const notes = [attempt > 1 ? `attempt ${attempt}` : "", isDuplicate ? "duplicate, ignored" : ""].filter(Boolean);
  console.log(
    `  ${green("✓")} ${event.type.padEnd(17)} verified ${grey(`after ${latency}   ${event.id}   ${notes.join(", ")}`)}`,
  );
}

async function main(): Promise<boolean> {
  const start = performance.now();
  const dataDir = await mkdtemp(join(tmpdir(), "mave-demo-"));
  const place = { dataDir, port: await freePort() };
  const receiver = await startReceiver(show);
  const running: { mave?: Mave } = {};
  process.once("SIGINT", () => void cleanUp(running, receiver, dataDir).then(() => process.exit(130)));
  try {
    const isComplete = await run(place, receiver, running);
    const seconds = ((performance.now() - start) / 1000).toFixed(1);
    console.log(grey(`\nFinished in ${seconds} s. To run your own server: npm start`));
    return isComplete;
  } finally {
    await cleanUp(running, receiver, dataDir);
  }
}

async function run(place: Place, receiver: Receiver, running: { mave?: Mave }): Promise<boolean> {
  step("Start Mave in a temporary folder with its own PostgreSQL");
  running.mave = await startMave(place);
  console.log(`  ${running.mave.url} is ready after ${Math.round(performance.now() - stepStart)} ms`);
  const api = client(running.mave.url, await createKey(place));

  step(`Register a webhook for ${receiver.url}`);
  const webhook = await api("POST", "/v1/webhooks", { url: receiver.url, events: EVENTS });
  receiver.secret = webhook.secret as string;
  console.log(`  secret: ${receiver.secret.slice(0, 8)}…`);

  step("Create a video");
  const video = await api("POST", "/v1/videos", { name: "Demo" });
  await receiver.first("video.created");

  const file = join(place.dataDir, "demo-input.webm");
  const made = await makeVideo(file);
  step(`Upload a 5 s video${made ? "" : " (prebuilt, because ffmpeg is missing or failed)"}`);
  await api("PUT", `/v1/videos/${video.id}/file`, await readFile(file));
  await receiver.first("video.processing");

  step(red("Kill the server with SIGKILL while it processes the video"));
  await running.mave.kill();
  console.log("  killed, without a chance to save anything");
  step("Restart the server with the same data folder");
  running.mave = await startMave(place);
  await receiver.first("video.uploaded");
  const ready = await api("GET", `/v1/videos/${video.id}`);
  console.log(`  ${grey(`${ready.embed_url} is ready to play: ${ready.duration} s, ${ready.width}×${ready.height}`)}`);

  step("Delete the video");
  await api("DELETE", `/v1/videos/${video.id}`);
  await receiver.first("video.deleted");
  return compare(await api("GET", `/v1/events?video=${video.id}`), receiver);
}

function compare(events: Json, receiver: Receiver): boolean {
  const recorded = (events.data as { id: string }[]).map(({ id }) => id);
  const lost = recorded.filter((id) => !receiver.received.has(id));
  step("Compare the recorded events with the received events");
  const duplicates = receiver.duplicates === 1 ? "1 duplicate" : `${receiver.duplicates} duplicates`;
  console.log(`  ${recorded.length} recorded, ${receiver.received.size} received, ${lost.length} lost, ${duplicates}`);
  return lost.length === 0 && recorded.length === EVENTS.length;
}

type Json = Record<string, unknown>;

function client(url: string, key: string) {
  return async (method: string, path: string, body?: object): Promise<Json> => {
    const file = Buffer.isBuffer(body);
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body && { "content-type": file ? "video/webm" : "application/json" }),
      },
      ...(body && { body: file ? new Uint8Array(body) : JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path} returned ${response.status}: ${await response.text()}`);
    return (await response.json()) as Json;
  };
}

async function cleanUp({ mave }: { mave?: Mave }, receiver: Receiver, dataDir: string): Promise<void> {
  await mave?.stop();
  receiver.close();
  await rm(dataDir, { recursive: true, force: true });
}

const timeout = setTimeout(() => {
  console.error(
    red(`\nThe demo did not finish within ${WITHIN_MS / 1000} s. Please report this with the output above.`),
  );
  process.kill(process.pid, "SIGINT");
}, WITHIN_MS);

main()
  .then((isComplete) => {
    console.log(isComplete ? green("No events were lost.") : red("Events were lost. Please report this."));
    process.exitCode = isComplete ? 0 : 1;
  })
  .catch((error: Error) => {
    console.error(red(`\nThe demo failed: ${error.message}`));
    process.exitCode = 1;
  })
  .finally(() => clearTimeout(timeout));
