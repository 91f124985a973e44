import type { Run } from "../kernel/spawn.ts";
import type { ConversionPlan } from "./conversion-plan.ts";
import type { Ffmpeg } from "./ffmpeg.ts";
import { type MediaError, type Probe, type Refusal, refusal } from "./probe.ts";
import type { Rendition } from "./video.ts";

/** A playable version of a video. All its files are in one folder. */
export interface Media {
  /** File names. */
  files: string[];
  playback: string;
  poster: string | null;
  storyboard: string | null;
  duration_s: number;
  width: number;
  height: number;
  renditions: Rendition[];
  /** How the file was probed and converted, for troubleshooting. */
  notes: { probe: Probe; plan: ConversionPlan } | null;
}

export type ConversionOutcome =
  | { how: "converted"; media: Media }
  /** The file is invalid, so another attempt would fail too. */
  | { how: "refused"; refusal: Refusal; detail: string }
  /** Something failed on this machine, so another attempt may succeed. */
  | { how: "error"; detail: string }
  | { how: "canceled" };

/** Thrown to end a conversion early. `convert` catches it and returns the outcome. */
export class ConversionEnded extends Error {
  readonly outcome: Exclude<ConversionOutcome, { how: "converted" }>;

  constructor(outcome: Exclude<ConversionOutcome, { how: "converted" }>) {
    super(outcome.how);
    this.outcome = outcome;
  }
}

export interface Conversion {
  ffmpeg: Ffmpeg;
  /** Path of the uploaded file. The file name is generated, not chosen by the uploader. */
  input: string;
  /** An empty working directory for this attempt. */
  folder: string;
  signal: AbortSignal;
  /** Called with an increasing percentage from 0 to 100. */
  onProgress: (percent: number) => void;
}

const DISK_FULL = /No space left on device|Disk quota exceeded/;

/** Ends the conversion if the run failed. @param code the error to report if the file is to blame */
export function checkSucceeded(run: Run, code: MediaError): void {
  checkNotEnded(run);
  const { ending, errors } = run;
  if (ending.how === "exited" && ending.code === 0) return;
  refuse(code, `ffmpeg: ${lastLines(errors)}`);
}

/** Ends the conversion if the run was stopped, could not start or filled the disk. */
export function checkNotEnded({ ending, errors }: Run): void {
  if (ending.how === "canceled") throw new ConversionEnded({ how: "canceled" });
  if (ending.how === "too_long" || ending.how === "stalled") refuse("too_complex", `ffmpeg was stopped: ${ending.how}`);
  if (ending.how === "missing") throw new ConversionEnded({ how: "error", detail: "ffmpeg is no longer installed" });
  if (ending.how === "killed")
    throw new ConversionEnded({ how: "error", detail: `ffmpeg was killed by ${ending.signal}` });
  if (DISK_FULL.test(errors)) throw new ConversionEnded({ how: "error", detail: "the disk is full" });
}

export function refuse(code: MediaError, detail: string): never {
  throw new ConversionEnded({ how: "refused", refusal: refusal(code), detail });
}

const lastLines = (errors: string) => errors.trim().split("\n").slice(-3).join(" | ").slice(-600);
