import { Worker } from "node:worker_threads";
import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Making, MakingOutcome } from "./making.ts";
import { refusal } from "./probe.ts";

/**
 * What is possible without ffmpeg: H.264 with AAC, as phones, cameras and exports write it, is put into segments as it
 * is and plays as one rendition, without a poster. Everything else has to wait for ffmpeg; its file is kept.
 *
 * In a thread of its own: what a stranger's file makes the library do (throw where nobody listens, take memory, never
 * end) then ends that thread alone.
 */
export function remuxMedia(clock: Clock, { input, folder, signal, onProgress }: Remuxing): Promise<MakingOutcome> {
  const resourceLimits = { maxOldGenerationSizeMb: LIMITS.REMUX_MEMORY_MB };
  const worker = new Worker(WORKER, { workerData: { input, folder }, resourceLimits, stdout: true, stderr: true });
  return new Promise<MakingOutcome>((resolve) => {
    const end = (outcome: MakingOutcome) => {
      expire();
      signal.removeEventListener("abort", cancel);
      resolve(outcome);
      void worker.terminate();
    };
    const cancel = () => end({ how: "canceled" });
    const stuck = (detail: string) => end({ how: "refused", refusal: refusal("ffmpeg_missing"), detail });
    const expire = clock.after(LIMITS.REMUX_MS, () => stuck("it took too long"));
    if (signal.aborted) cancel();
    signal.addEventListener("abort", cancel);
    worker.on("message", (message: { percent: number } | { outcome: MakingOutcome }) => {
      if ("percent" in message) onProgress(message.percent);
      else end(message.outcome);
    });
    worker.on("error", (error) => stuck(String(error)));
    worker.on("exit", () => stuck("the thread ended"));
  });
}

type Remuxing = Omit<Making, "ffmpeg">;

const WORKER = new URL("./remux-worker.ts", import.meta.url);
