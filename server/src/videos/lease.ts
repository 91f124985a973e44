import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Log } from "../kernel/log.ts";
import type { Signals } from "../kernel/signals.ts";
import type { Database } from "../store/db.ts";
import { renewLease, type UploadRow } from "../store/uploads.ts";
import { lockVideo, setVideoProgress } from "../store/videos.ts";

/** A processor's hold on an upload: renewed while it works, ended at once where the upload is no longer its own. */
export interface Lease {
  /** Aborted where the lease is lost, the video deleted or the service stopped. */
  signal: AbortSignal;
  onProgress: (percent: number) => void;
  end(): void;
}

interface LeaseParts {
  db: Database;
  clock: Clock;
  signals: Signals;
  log: Log;
}

/** Renews by time and with every progress that is worth telling. @param stopping ends the work, too */
export function keepLease(parts: LeaseParts, upload: UploadRow, token: string, stopping: AbortSignal): Lease {
  const { clock, signals, log } = parts;
  const lost = new AbortController();
  let progress = 0;
  let told = 0;
  let told_ms = clock.monotonic();
  let renewing = false;
  let cancel = () => {};

  async function renew(): Promise<void> {
    if (renewing || lost.signal.aborted) return;
    renewing = true;
    cancel();
    told = progress;
    told_ms = clock.monotonic();
    try {
      if (!(await tell(parts, upload, token, progress))) lost.abort();
    } catch (error) {
      // Not proof of a loss: whoever else takes the upload is fenced off by the token at the end.
      log.warn({ video: upload.video_id, error: String(error) }, "A lease could not be renewed; it is tried again.");
    }
    renewing = false;
    cancel = clock.after(LIMITS.PROCESSING_HEARTBEAT_MS, renew);
  }

  cancel = clock.after(LIMITS.PROCESSING_HEARTBEAT_MS, renew);
  // A deletion in this process is noticed at once.
  const unlisten = signals.on("video", ({ video }) => {
    if (video === upload.video_id && !renewing) void renew();
  });
  return {
    signal: AbortSignal.any([lost.signal, stopping]),
    onProgress(percent) {
      progress = Math.max(progress, Math.min(99, percent));
      if (progress > told && clock.monotonic() - told_ms >= LIMITS.PROCESSING_PROGRESS_MS) void renew();
    },
    end() {
      cancel();
      cancel = () => {};
      unlisten();
      lost.abort();
    },
  };
}

/** False where the upload is no longer this lease's. The video is locked first, as everywhere. */
async function tell({ db, signals }: LeaseParts, upload: UploadRow, token: string, progress: number): Promise<boolean> {
  const { id, space_id: space, video_id: video } = upload;
  const [held, changed] = await db.transaction(async (tx) => {
    const row = await lockVideo(tx, space, video);
    if (!row || !(await renewLease(tx, id, token, LIMITS.PROCESSING_LEASE_MS))) return [false, false];
    if (row.progress === progress) return [true, false];
    await setVideoProgress(tx, space, video, progress);
    return [true, true];
  });
  if (changed) signals.emit("video", { space, video });
  return held;
}
