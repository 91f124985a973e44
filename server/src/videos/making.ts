import type { Run } from "../kernel/spawn.ts";
import type { Ffmpeg } from "./ffmpeg.ts";
import type { Media } from "./media.ts";
import { type MediaError, type Refusal, refusal } from "./probe.ts";

export type MakingOutcome =
  | { how: "made"; media: Media }
  /** The file is at fault: another attempt would end the same. */
  | { how: "refused"; refusal: Refusal; detail: string }
  /** The machine is at fault: another attempt may succeed. */
  | { how: "fault"; detail: string }
  | { how: "canceled" };

/** Ends the making; `makeMedia` turns it into its outcome. */
export class Stopped extends Error {
  readonly outcome: Exclude<MakingOutcome, { how: "made" }>;

  constructor(outcome: Exclude<MakingOutcome, { how: "made" }>) {
    super(outcome.how);
    this.outcome = outcome;
  }
}

export interface Making {
  ffmpeg: Ffmpeg;
  /** The uploaded file, under a name of ours. */
  input: string;
  /** Empty, and this attempt's alone. */
  folder: string;
  signal: AbortSignal;
  /** 0–100, rising. */
  onProgress: (percent: number) => void;
}

const DISK_FULL = /No space left on device|Disk quota exceeded/;

/** A run that did not end well ends the making: with `code` where the file is to blame. */
export function mustSucceed(run: Run, code: MediaError): void {
  mustNotBeStopped(run);
  const { ending, errors } = run;
  if (ending.how === "exited" && ending.code === 0) return;
  refuse(code, `ffmpeg: ${lastWords(errors)}`);
}

/** Ends the making where the run was ended from outside, or found no room: nothing that the file can help. */
export function mustNotBeStopped({ ending, errors }: Run): void {
  if (ending.how === "canceled") throw new Stopped({ how: "canceled" });
  if (ending.how === "too_long" || ending.how === "stalled") refuse("too_complex", `ffmpeg was ended: ${ending.how}`);
  if (ending.how === "missing") throw new Stopped({ how: "fault", detail: "ffmpeg is not there any more" });
  if (ending.how === "killed") throw new Stopped({ how: "fault", detail: `ffmpeg was killed by ${ending.signal}` });
  if (DISK_FULL.test(errors)) throw new Stopped({ how: "fault", detail: "the disk is full" });
}

export function refuse(code: MediaError, detail: string): never {
  throw new Stopped({ how: "refused", refusal: refusal(code), detail });
}

const lastWords = (errors: string) => errors.trim().split("\n").slice(-3).join(" | ").slice(-600);
