/**
 * The whole promise in one terminal: a real server, a real video, a receiver of your own, and a power cut in between.
 * Run it with `npm run demo`. It uses a temporary folder and removes it again.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createKey, freePort, type Mave, type Place, startMave } from "./mave.ts";
import { type Receipt, type Receiver, startReceiver } from "./receiver.ts";
import { makeVideo } from "./video.ts";

const WITHIN_MS = 120_000; // a guard for a machine in trouble; a quiet one needs 10 s
const EVENTS = ["video.created", "video.processing", "video.uploaded", "video.deleted"] as const;

const terminal = process.stdout.isTTY === true && !process.env.NO_COLOR;
const paint = (code: number) => (text: string) => (terminal ? `\x1b[${code}m${text}\x1b[0m` : text);
const [bold, red, green, grey] = [paint(1), paint(31), paint(32), paint(90)];

/** What was done last, to tell how long an event took to arrive. */
let last = { what: "", at: 0 };

function step(what: string): void {
  last = { what, at: performance.now() };
  console.log(`\n${bold(what)}`);
}

function show({ event, attempt, again }: Receipt): void {
  const took = `${Math.round(performance.now() - last.at)} ms`.padStart(8);
  const notes = [attempt > 1 ? `attempt ${attempt}` : "", again ? "same id as before, ignored" : ""].filter(Boolean);
  console.log(
    `  ${green("✓")} ${event.type.padEnd(17)} verified ${grey(`${took} after that   ${event.id}   ${notes.join(", ")}`)}`,
  );
}

async function main(): Promise<boolean> {
  const began = performance.now();
  const dataDir = await mkdtemp(join(tmpdir(), "mave-demo-"));
  const place = { dataDir, port: await freePort() };
  const receiver = await startReceiver(show);
  const running: { mave?: Mave } = {};
  process.once("SIGINT", () => void cleanUp(running, receiver, dataDir).then(() => process.exit(130)));
  try {
    const kept = await tell(place, receiver, running);
    console.log(grey(`\nThat took ${((performance.now() - began) / 1000).toFixed(1)} s. Now your own: npm start`));
    return kept;
  } finally {
    await cleanUp(running, receiver, dataDir);
  }
}

async function tell(place: Place, receiver: Receiver, running: { mave?: Mave }): Promise<boolean> {
  step("Start Mave in a temporary folder, with its own PostgreSQL");
  running.mave = await startMave(place);
  console.log(`  ${running.mave.url} is ready after ${Math.round(performance.now() - last.at)} ms`);
  const api = client(running.mave.url, await createKey(place));

  step(`Register a webhook for ${receiver.url}`);
  const webhook = await api("POST", "/v1/webhooks", { url: receiver.url, events: EVENTS });
  receiver.secret = webhook.secret as string;
  console.log(`  its secret begins with ${receiver.secret.slice(0, 8)}…`);

  step("Create a video");
  const video = await api("POST", "/v1/videos", { name: "Demo" });
  await receiver.first("video.created");

  const file = join(place.dataDir, "demo-input.webm");
  const made = await makeVideo(file);
  step(`Upload a video of 5 s ${made ? "that ffmpeg has just made" : "(a ready-made one: ffmpeg is not installed)"}`);
  await api("PUT", `/v1/videos/${video.id}/file`, await readFile(file));
  await receiver.first("video.processing");

  step(red("Kill the server with SIGKILL, in the middle of the processing"));
  await running.mave.kill();
  console.log("  gone. Nobody was asked, nothing was saved");
  step("Start it again on the same folder");
  running.mave = await startMave(place);
  await receiver.first("video.uploaded");
  const ready = await api("GET", `/v1/videos/${video.id}`);
  console.log(`  ${grey(`${ready.embed_url} plays: ${ready.duration} s, ${ready.width}×${ready.height}`)}`);

  step("Delete the video");
  await api("DELETE", `/v1/videos/${video.id}`);
  await receiver.first("video.deleted");
  return compare(await api("GET", `/v1/events?video=${video.id}`), receiver);
}

function compare(events: Answer, receiver: Receiver): boolean {
  const recorded = (events.data as { id: string }[]).map(({ id }) => id);
  const lost = recorded.filter((id) => !receiver.received.has(id));
  step("Compare what the server recorded with what the receiver verified");
  const twice = receiver.duplicates === 0 ? "none twice" : `${receiver.duplicates} twice, with the same id`;
  console.log(`  ${recorded.length} recorded, ${receiver.received.size} verified, ${lost.length} lost, ${twice}`);
  return lost.length === 0 && recorded.length === EVENTS.length;
}

type Answer = Record<string, unknown>;

function client(url: string, key: string) {
  return async (method: string, path: string, body?: object): Promise<Answer> => {
    const file = Buffer.isBuffer(body);
    const response = await fetch(url + path, {
      method,
      headers: {
        authorization: `Bearer ${key}`,
        ...(body && { "content-type": file ? "video/webm" : "application/json" }),
      },
      ...(body && { body: file ? new Uint8Array(body) : JSON.stringify(body) }),
    });
    if (!response.ok) throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
    return (await response.json()) as Answer;
  };
}

async function cleanUp({ mave }: { mave?: Mave }, receiver: Receiver, dataDir: string): Promise<void> {
  await mave?.stop();
  receiver.close();
  await rm(dataDir, { recursive: true, force: true });
}

const late = setTimeout(() => {
  console.error(red(`\nThis did not end within ${WITHIN_MS / 1000} s. Please report it, with what is printed above.`));
  process.kill(process.pid, "SIGINT");
}, WITHIN_MS);

main()
  .then((kept) => {
    console.log(kept ? green("Nothing was lost.") : red("Something was lost. Please report this."));
    process.exitCode = kept ? 0 : 1;
  })
  .catch((error: Error) => {
    console.error(red(`\nThe demo could not go on. ${error.message}`));
    process.exitCode = 1;
  })
  .finally(() => clearTimeout(late));
