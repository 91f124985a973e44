/**
 * Compares processing a video (including the poster, storyboard and checks) to running ffmpeg alone with the same
 * arguments.
 */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { systemClock } from "../server/src/kernel/clock.ts";
import { findFfmpeg } from "../server/src/videos/ffmpeg.ts";
import { ladderArguments } from "../server/src/videos/ffmpeg-arguments.ts";
import { convert } from "../server/src/videos/media.ts";
import { compare, type Pair, report, seconds } from "./lib/report.ts";

const run = promisify(execFile);
const LENGTH_S = 30;
const PAIRS = 3;

const ffmpeg = await findFfmpeg(systemClock);
if (ffmpeg === null) throw new Error("This bench needs ffmpeg.");
const folder = await mkdtemp(join(tmpdir(), "mave-bench-"));
const input = join(folder, "input.mp4");
// The input has motion, grain and sound. Its bit rate is too high to copy the video as is, so every rendition is
// encoded.
const picture = `testsrc2=s=1280x720:r=30:d=${LENGTH_S},noise=alls=20:allf=t`;
const source = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", `sine=d=${LENGTH_S}`];
const codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "18", "-pix_fmt", "yuv420p", "-c:a", "aac"];
await run("ffmpeg", ["-v", "error", "-y", ...source, ...codecs, input]);

let turn = 0;
const signal = new AbortController().signal;

/** Processes the input. @returns the duration, and the arguments for running ffmpeg alone */
async function byMave() {
  const made = join(folder, `made-${turn++}`);
  const begin = performance.now();
  const outcome = await convert({ ffmpeg: ffmpeg!, input, folder: made, signal, onProgress() {} });
  const duration_ms = performance.now() - begin;
  if (outcome.how !== "converted") throw new Error(`Processing failed: ${JSON.stringify(outcome)}`);
  const { probe, plan } = outcome.media.notes!;
  const bare = join(folder, `bare-${turn}`);
  return { duration_ms, plan, bare, args: ladderArguments(input, bare, probe, plan) };
}

const pairs: Pair[] = [];
let sizes = "";
for (let pair = 0; pair < PAIRS; pair++) {
  const { duration_ms, plan, bare, args } = await byMave();
  await mkdir(bare);
  const begin = performance.now();
  await run("ffmpeg", args, { maxBuffer: 10_000_000 });
  pairs.push({ value: duration_ms, baseline: performance.now() - begin });
  sizes = `${plan.rungs.map(({ name }) => name).join(", ")}${plan.copyVideo ? ", the first copied" : ""}`;
}
report("processing", [
  compare(`making ${LENGTH_S} s of 720p video ready to play (${sizes})`, pairs, {
    format: seconds,
    label: "with ffmpeg alone",
    atMost: 1.1,
  }),
]);
await rm(folder, { recursive: true });
