import { LIMITS } from "../kernel/limits.ts";
import { couldCopy } from "./decide.ts";
import { keyframeArguments, measureArguments, probeArguments } from "./ffmpeg-arguments.ts";
import { type Making, mustNotBeStopped, mustSucceed, refuse, Stopped } from "./making.ts";
import { isRefusal, type Probe, readProbe, refusal } from "./probe.ts";

/** What has to be known of a file before it is decided what to make of it. */
export interface Inspection {
  probe: Probe;
  duration_s: number;
  /** The longest time without a keyframe; null where it was not looked for. */
  keyframeGap_s: number | null;
}

/** Reads what a file is; ends the making where it is no video, or too much of one. */
export async function inspect(making: Making): Promise<Inspection> {
  const probe = await readFile(making);
  const duration_s = probe.duration_s ?? (await measure(making, probe));
  if (duration_s > LIMITS.VIDEO_DURATION_MAX_S) refuse("too_long", `${duration_s} s`);
  const keyframeGap_s = couldCopy(probe) ? await longestGap(making, probe, duration_s) : null;
  return { probe, duration_s, keyframeGap_s };
}

async function readFile({ ffmpeg, input, signal }: Making): Promise<Probe> {
  let output = "";
  const onLine = (line: string) => {
    if (output.length < LIMITS.PROBE_OUTPUT_BYTES) output += `${line}\n`;
  };
  const run = await ffmpeg.probe(probeArguments(input), { signal, onLine });
  mustNotBeStopped(run);
  if (/Picture size \d+x\d+ exceeds|Picture size \d+x\d+ is invalid/.test(run.errors)) refuse("too_large", run.errors);
  mustSucceed(run, "unreadable");
  const probe = readProbe(output);
  if (isRefusal(probe)) throw new Stopped({ how: "refused", refusal: refusal(probe.code), detail: "by the probe" });
  return probe;
}

/** The length of a file whose container does not tell it: a browser's recording, a raw stream. */
async function measure({ ffmpeg, input, signal }: Making, probe: Probe): Promise<number> {
  let duration_s = 0;
  const onProgress = (done_s: number) => {
    duration_s = done_s;
  };
  const options = { signal, duration_s: LIMITS.VIDEO_DURATION_MAX_S, onProgress };
  mustSucceed(await ffmpeg.run(measureArguments(input, probe), options), "unreadable");
  return Math.max(duration_s, 0.04); // one frame
}

async function longestGap({ ffmpeg, input, signal }: Making, probe: Probe, duration_s: number): Promise<number | null> {
  let longest_s = 0;
  let last_s = 0;
  const onLine = (line: string) => {
    const [time = "", flags = ""] = line.split(",");
    const at_s = Number.parseFloat(time);
    if (!flags.startsWith("K") || Number.isNaN(at_s)) return;
    longest_s = Math.max(longest_s, at_s - last_s);
    last_s = at_s;
  };
  const run = await ffmpeg.probe(keyframeArguments(input, probe), { signal, onLine });
  if (run.ending.how === "canceled") throw new Stopped({ how: "canceled" });
  // A file too long to look through in time is encoded: slower, never wrong.
  if (run.ending.how !== "exited" || run.ending.code !== 0) return null;
  return Math.max(longest_s, duration_s - last_s);
}
