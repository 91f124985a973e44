/** What the upload panel says. Pure. */
import { bytes, plural, span } from "../format.ts";
import { rate, secondsLeft } from "./estimate.ts";
import type { Upload } from "./upload-state.ts";

const NB = "\u00a0";

/** Uploading 2 of 4 · Paused, 2 of 4 received · 4 files received · 1 upload needs you */
export function heading(uploads: readonly Upload[]): string {
  const count = (...names: string[]) => uploads.filter(({ phase }) => names.includes(phase.name)).length;
  const received = count("received");
  if (count("queued", "sending", "retrying") > 0) return `Uploading ${received + 1} of ${uploads.length}`;
  const [paused, interrupted, failed] = [count("paused"), count("interrupted"), count("failed")];
  if (failed > 0) return `${plural(failed, "upload")} failed`;
  if (interrupted > 0) return `${plural(interrupted, "upload")} interrupted`;
  if (paused > 0) return `Paused, ${received} of ${uploads.length} received`;
  return `${plural(received, "file")} received`;
}

/** about 3 min left; empty while nothing moves */
export function timeLeft(uploads: readonly Upload[]): string {
  const seconds = secondsLeft(uploads);
  if (seconds === null) return "";
  if (seconds < 5) return "a few seconds left";
  if (seconds < 55) return `about ${Math.ceil(seconds / 5) * 5}${NB}s left`;
  return `about ${span(Math.ceil(seconds / 60) * 60)} left`;
}

/** The line below an upload's bar. @param now ms, for the countdown */
export function detail(upload: Upload, now: number): string {
  const { phase, size, sent, name } = upload;
  switch (phase.name) {
    case "queued":
      return `Waits for its turn, ${bytes(size)}`;
    case "sending":
      if (sent >= size) return "All sent. Waiting for the receipt.";
      return upload.samples.length === 0
        ? "Connecting"
        : [portion(sent, size), speed(upload)].filter(Boolean).join(", ");
    case "paused":
      return `Paused at ${portion(sent, size)}`;
    case "retrying":
      return `${phase.why} Tries again in ${span(Math.ceil((phase.at - now) / 1000))}; nothing is lost.`;
    case "interrupted":
      return phase.kept
        ? `The page was closed at ${portion(sent, size)}. Resume goes on from there.`
        : `The page was closed at ${portion(sent, size)}. Choose ${name} once more, and it goes on from there.`;
    case "received":
      return "Received. Processing has begun.";
    case "failed":
      return phase.why;
  }
}

function speed(upload: Upload): string {
  const perSecond = rate(upload.samples);
  return perSecond === null ? "" : `${bytes(Math.round(perSecond))}/s`;
}

/** 1.1 of 1.7 GB: both in the unit of the whole. */
export function portion(part: number, whole: number): string {
  const [, unit = "bytes"] = bytes(whole).split(NB);
  const factor = { kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 }[unit] ?? 1;
  const value = part / factor;
  const digits = factor === 1 || whole / factor >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} of ${bytes(whole)}`;
}

/** Of all that was given to the panel, 0 to 1. */
export function share(uploads: readonly Upload[]): number {
  const total = uploads.reduce((sum, { size }) => sum + size, 0);
  return total === 0 ? 0 : uploads.reduce((sum, { sent }) => sum + sent, 0) / total;
}

/** How a new video is called: its file without folder and ending. */
export function nameOf(file: string): string {
  return (
    file
      .replace(/\.[a-z0-9]{1,5}$/i, "")
      .trim()
      .slice(0, 200) || file.slice(0, 200)
  );
}
