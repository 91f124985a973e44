import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Log } from "../kernel/log.ts";
import type { Signals } from "../kernel/signals.ts";
import type { Database } from "../store/db.ts";
import { openSession } from "../store/session.ts";
import { markLease, renewLease, type UploadRow } from "../store/uploads.ts";
import { lockVideo, setVideoProgress } from "../store/videos.ts";

/** A processor's lease on an upload, renewed while the upload is being processed. */
export interface Lease {
  /** Aborted when the lease is lost, the video is deleted or the server stops. */
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

/** Renews the lease periodically and on progress. @param stopping aborts the lease's signal when the server stops */
export function keepLease(parts: LeaseParts, upload: UploadRow, token: string, stopping: AbortSignal): Lease {
  const { clock, signals, log } = parts;
  const lost = new AbortController();
  let progress = 0;
  let savedProgress = 0;
  let saved_ms = clock.monotonic();
  let isRenewing = false;
  let cancelTimer = () => {};

  async function renew(): Promise<void> {
    if (isRenewing || lost.signal.aborted) return;
    isRenewing = true;
    cancelTimer();
    savedProgress = progress;
    saved_ms = clock.monotonic();
    try {
      if (!(await save(parts, upload, token, progress))) lost.abort();
    } catch (err) {
      // The lease may still be valid. If it is not, the token prevents this processor from publishing.
      log.warn({ video: upload.video_id, err }, "Processing lease renewal failed; retrying");
    }
    isRenewing = false;
    cancelTimer = clock.after(LIMITS.PROCESSING_HEARTBEAT_MS, renew);
  }

  cancelTimer = clock.after(LIMITS.PROCESSING_HEARTBEAT_MS, renew);
  // Renew whenever this process changes the video, so that deleting the video stops the conversion immediately.
  const unlisten = signals.on("video", ({ video }) => {
    if (video === upload.video_id && !isRenewing) void renew();
  });
  return {
    signal: AbortSignal.any([lost.signal, stopping]),
    onProgress(percent) {
      progress = Math.max(progress, Math.min(99, percent));
      if (progress > savedProgress && clock.monotonic() - saved_ms >= LIMITS.PROCESSING_PROGRESS_MS) void renew();
    },
    end() {
      cancelTimer();
      cancelTimer = () => {};
      unlisten();
      lost.abort();
    },
  };
}

/**
 * Saves progress and renews the lease. Like every other transaction, locks the video before the upload.
 * @returns false if the lease is lost
 */
async function save({ db, signals }: LeaseParts, upload: UploadRow, token: string, progress: number): Promise<boolean> {
  const { id, space_id: space, video_id: video } = upload;
  return db.transaction(async (tx) => {
    const row = await lockVideo(tx, space, video);
    if (!row || !(await renewLease(tx, id, token, LIMITS.PROCESSING_LEASE_MS))) return false;
    if (row.progress === progress) return true;
    await setVideoProgress(tx, space, video, progress);
    tx.afterCommit(() => signals.emit("video", { space, video }));
    return true;
  });
}

/**
 * Holds a lock on a dedicated connection to show other processors that this one is alive. If this process is killed,
 * the lock is released immediately, and another processor can claim the upload before the lease expires. If this
 * process freezes, it keeps the lock, and the upload can be claimed only after the lease expires. If the connection
 * breaks, another processor may repeat the work, but the lease token lets only one of them publish. Call this before
 * claiming an upload with the token.
 * @returns a function that stops the heartbeat
 */
export async function startHeartbeat(
  { db, clock, log }: { db: Database; clock: Clock; log: Log },
  token: string,
): Promise<() => Promise<void>> {
  const session = await openSession(db, clock, {
    onNotice() {},
    onLost: () => log.warn("Processor heartbeat connection lost; another processor may repeat this work"),
  });
  try {
    await markLease(session, token);
  } catch (error) {
    await session.close();
    throw error;
  }
  return session.close;
}
