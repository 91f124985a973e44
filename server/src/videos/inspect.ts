import { LIMITS } from "../kernel/limits.ts";
import { type Conversion, ConversionEnded, checkNotEnded, checkSucceeded, refuse } from "./conversion.ts";
import { couldCopy } from "./conversion-plan.ts";
import { keyframeArguments, measureArguments, probeArguments } from "./ffmpeg-arguments.ts";
import { isRefusal, type Probe, readProbe, refusal } from "./probe.ts";

/** The file properties that determine the conversion plan. */
export interface Inspection {
  probe: Probe;
  duration_s: number;
  /** The longest time between keyframes; null if unknown. */
  keyframeGap_s: number | null;
}

/** Probes a file. Ends the conversion if the file is not a video or exceeds a limit. */
export async function inspect(conversion: Conversion): Promise<Inspection> {
  const probe = await readFile(conversion);
  const duration_s = probe.duration_s ?? (await measure(conversion, probe));
  if (duration_s > LIMITS.VIDEO_DURATION_MAX_S) refuse("too_long", `${duration_s} s`);
  const keyframeGap_s = couldCopy(probe) ? await longestGap(conversion, probe, duration_s) : null;
  return { probe, duration_s, keyframeGap_s };
}

async function readFile({ ffmpeg, input, signal }: Conversion): Promise<Probe> {
  let output = "";
  const onLine = (line: string) => {
    if (output.length < LIMITS.PROBE_OUTPUT_BYTES) output += `${line}\n`;
  };
  const run = await ffmpeg.probe(probeArguments(input), { signal, onLine });
  checkNotEnded(run);
  if (/Picture size \d+x\d+ exceeds|Picture size \d+x\d+ is invalid/.test(run.errors)) refuse("too_large", run.errors);
  checkSucceeded(run, "unreadable");
  const probe = readProbe(output);
  if (isRefusal(probe))
    throw new ConversionEnded({ how: "refused", refusal: refusal(probe.code), detail: "refused by the probe" });
  return probe;
}

/** Measures the duration of a file whose container does not specify it, such as a browser recording or a raw stream. */
async function measure({ ffmpeg, input, signal }: Conversion, probe: Probe): Promise<number> {
  let duration_s = 0;
  const onProgress = (done_s: number) => {
    duration_s = done_s;
  };
  const options = { signal, duration_s: LIMITS.VIDEO_DURATION_MAX_S, onProgress };
  checkSucceeded(await ffmpeg.run(measureArguments(input, probe), options), "unreadable");
  return Math.max(duration_s, 0.04); // one frame
}

async function longestGap(
  { ffmpeg, input, signal }: Conversion,
  probe: Probe,
  duration_s: number,
): Promise<number | null> {
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
  if (run.ending.how === "canceled") throw new ConversionEnded({ how: "canceled" });
  // If the scan fails or exceeds its time limit, the file is encoded instead of copied.
  if (run.ending.how !== "exited" || run.ending.code !== 0) return null;
  return Math.max(longest_s, duration_s - last_s);
}
