/** A video made ready to play, poster, storyboard and checks included, against ffmpeg alone with the same arguments. */
import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { systemClock } from "../server/src/kernel/clock.ts";
import { findFfmpeg } from "../server/src/videos/ffmpeg.ts";
import { ladderArguments } from "../server/src/videos/ffmpeg-arguments.ts";
import { makeMedia } from "../server/src/videos/media.ts";
import { median, report, seconds, short } from "./lib/report.ts";

const run = promisify(execFile);
const LENGTH_S = 30;
const PAIRS = 3;

const ffmpeg = await findFfmpeg(systemClock);
if (ffmpeg === null) throw new Error("This bench needs ffmpeg.");
const folder = await mkdtemp(join(tmpdir(), "mave-bench-"));
const input = join(folder, "input.mp4");
// Moving, with grain and sound, at a bit rate that is too high to be copied: every rung is encoded.
const picture = `testsrc2=s=1280x720:r=30:d=${LENGTH_S},noise=alls=20:allf=t`;
const source = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", `sine=d=${LENGTH_S}`];
const codecs = ["-c:v", "libx264", "-preset", "ultrafast", "-crf", "18", "-pix_fmt", "yuv420p", "-c:a", "aac"];
await run("ffmpeg", ["-v", "error", "-y", ...source, ...codecs, input]);

let turn = 0;
const signal = new AbortController().signal;

/** @returns how long it took, and the arguments for the same by hand */
async function byMave() {
  const made = join(folder, `made-${turn++}`);
  const begun = performance.now();
  const outcome = await makeMedia({ ffmpeg: ffmpeg!, input, folder: made, signal, onProgress() {} });
  const took = performance.now() - begun;
  if (outcome.how !== "made") throw new Error(`It was not made: ${JSON.stringify(outcome)}`);
  const { probe, plan } = outcome.media.notes!;
  const bare = join(folder, `bare-${turn}`);
  return { took, plan, bare, args: ladderArguments(input, bare, probe, plan) };
}

const rounds: { mave: number; bare: number }[] = [];
let sizes = "";
for (let pair = 0; pair < PAIRS; pair++) {
  const { took, plan, bare, args } = await byMave();
  await mkdir(bare);
  const begun = performance.now();
  await run("ffmpeg", args, { maxBuffer: 10_000_000 });
  rounds.push({ mave: took, bare: performance.now() - begun });
  sizes = `${plan.rungs.map(({ name }) => name).join(", ")}${plan.copyVideo ? ", the first copied" : ""}`;
}
const ratio = median(rounds.map((round) => round.mave / round.bare));
report("processing", [
  {
    what: `${LENGTH_S} s of 720p made ready to play (${sizes})`,
    measured: seconds(median(rounds.map((round) => round.mave))),
    against: `${seconds(median(rounds.map((round) => round.bare)))} by ffmpeg alone`,
    ratio: short(ratio),
    target: "≤ 1.1",
    holds: ratio <= 1.1,
  },
]);
await rm(folder, { recursive: true });
