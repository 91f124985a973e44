/** Text for the upload panel. */
import { bytes, plural, span } from "../format.ts";
import { rate, secondsLeft } from "./estimate.ts";
import type { Upload } from "./upload-state.ts";

const NB = "\u00a0";

/** Returns the panel's heading: Uploading 2 of 4 · Paused, 2 of 4 uploaded · 4 files uploaded · 1 upload failed */
export function heading(uploads: readonly Upload[]): string {
  const count = (...names: string[]) => uploads.filter(({ phase }) => names.includes(phase.name)).length;
  const received = count("received");
  if (count("queued", "sending", "retrying") > 0) return `Uploading ${received + 1} of ${uploads.length}`;
  const [paused, interrupted, failed] = [count("paused"), count("interrupted"), count("failed")];
  if (failed > 0) return `${plural(failed, "upload")} failed`;
  if (interrupted > 0) return `${plural(interrupted, "upload")} interrupted`;
  if (paused > 0) return `Paused, ${received} of ${uploads.length} uploaded`;
  return `${plural(received, "file")} uploaded`;
}

/** Formats the time left, such as "about 3 min left". Returns an empty string while nothing is being sent. */
export function timeLeft(uploads: readonly Upload[]): string {
  const seconds = secondsLeft(uploads);
  if (seconds === null) return "";
  if (seconds < 5) return "a few seconds left";
  if (seconds < 55) return `about ${Math.ceil(seconds / 5) * 5}${NB}s left`;
  return `about ${span(Math.ceil(seconds / 60) * 60)} left`;
}

/** Returns the line below an upload's progress bar. @param now the time in ms, for the countdown */
export function detail(upload: Upload, now: number): string {
  const { phase, size, sent, name } = upload;
  switch (phase.name) {
    case "queued":
      return `Queued, ${bytes(size)}`;
    case "sending":
      if (sent >= size) return "Finishing";
      return upload.samples.length === 0
        ? "Connecting"
        : [portion(sent, size), speed(upload)].filter(Boolean).join(", ");
    case "paused":
      return `Paused at ${portion(sent, size)}`;
    case "retrying":
      return `${phase.reason} Retrying in ${span(Math.ceil((phase.at - now) / 1000))}; progress is kept.`;
    case "interrupted":
      return phase.hasHandle
        ? `Interrupted at ${portion(sent, size)}`
        : `Interrupted at ${portion(sent, size)}. Choose ${name} again to continue.`;
    case "received":
      return "Uploaded. Processing started.";
    case "failed":
      return phase.reason;
  }
}

function speed(upload: Upload): string {
  const perSecond = rate(upload.samples);
  return perSecond === null ? "" : `${bytes(Math.round(perSecond))}/s`;
}

/** Formats progress as "1.1 of 1.7 GB", with both numbers in the total's unit. */
export function portion(part: number, total: number): string {
  const [, unit = "bytes"] = bytes(total).split(NB);
  const factor = { kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 }[unit] ?? 1;
  const value = part / factor;
  const digits = factor === 1 || total / factor >= 99.95 ? 0 : 1;
  return `${value.toFixed(digits)} of ${bytes(total)}`;
}

/** Returns the name for a new video: the file name without the extension. */
export function videoName(file: string): string {
  return (
    file
      .replace(/\.[a-z0-9]{1,5}$/i, "")
      .trim()
      .slice(0, 200) || file.slice(0, 200)
  );
}
