import { Worker } from "node:worker_threads";
import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Conversion, ConversionOutcome } from "./conversion.ts";
import { refusal } from "./probe.ts";

/**
 * Converts a file without ffmpeg. H.264 video with AAC audio, the usual output of phones, cameras and editing software,
 * is segmented without re-encoding and plays as one rendition without a poster. All other files are kept until ffmpeg
 * is installed.
 *
 * The conversion runs in a worker thread. If an uploaded file makes the Mediabunny library throw outside a promise,
 * exhaust memory or hang, only that thread ends.
 */
export function remuxMedia(clock: Clock, { input, folder, signal, onProgress }: Remux): Promise<ConversionOutcome> {
  const resourceLimits = { maxOldGenerationSizeMb: LIMITS.REMUX_MEMORY_MB };
  const worker = new Worker(WORKER, { workerData: { input, folder }, resourceLimits, stdout: true, stderr: true });
  return new Promise<ConversionOutcome>((resolve) => {
    const end = (outcome: ConversionOutcome) => {
      cancelTimer();
      signal.removeEventListener("abort", cancel);
      resolve(outcome);
      void worker.terminate();
    };
    const cancel = () => end({ how: "canceled" });
    const fail = (detail: string) => end({ how: "refused", refusal: refusal("ffmpeg_missing"), detail });
    const cancelTimer = clock.after(LIMITS.REMUX_MS, () => fail("the time limit was exceeded"));
    if (signal.aborted) cancel();
    signal.addEventListener("abort", cancel);
    worker.on("message", (message: { percent: number } | { outcome: ConversionOutcome }) => {
      if ("percent" in message) onProgress(message.percent);
      else end(message.outcome);
    });
    worker.on("error", (error) => fail(String(error)));
    worker.on("exit", () => fail("the worker thread exited"));
  });
}

type Remux = Omit<Conversion, "ffmpeg">;

const WORKER = new URL("./remux-worker.ts", import.meta.url);
