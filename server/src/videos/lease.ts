import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Log } from "../kernel/log.ts";
import type { Signals } from "../kernel/signals.ts";
import type { Database } from "../store/db.ts";
import { openSession } from "../store/session.ts";
import { markLease, renewLease, type UploadRow } from "../store/uploads.ts";
import { lockVideo, setVideoProgress } from "../store/videos.ts";

/** A processor's lease on an upload, renewed while it works. */
export interface Lease {
  /** Aborted when the lease is lost, the video is deleted or the service stops. */
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

/** Renews the lease at intervals and when progress is reported. @param stopping aborts the lease's signal too */
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
    } catch (error) {
      // The lease may still be held. If it is not, its token keeps this processor from publishing.
      log.warn({ video: upload.video_id, error: String(error) }, "Processing lease renewal failed; retrying");
    }
    isRenewing = false;
    cancelTimer = clock.after(LIMITS.PROCESSING_HEARTBEAT_MS, renew);
  }

  cancelTimer = clock.after(LIMITS.PROCESSING_HEARTBEAT_MS, renew);
  // Notices at once when the video is deleted in this process.
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

/** @returns false if the lease is lost. Locks the video before the upload, like every other transaction. */
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
 * Holds a lock on its own connection, which shows other processors and the next start that this one is alive. A kill
 * releases the lock at once, so nobody waits for the lease to expire; a frozen process keeps it until then. If the
 * connection breaks, another processor may repeat the work, and the lease's token lets only one of them publish.
 * Call it before claiming an upload with this token. @returns a function that stops the heartbeat
 */
export async function startHeartbeat(
  { db, clock, log }: { db: Database; clock: Clock; log: Log },
  token: string,
): Promise<() => Promise<void>> {
  const session = await openSession(db, clock, {
    onNotice() {},
    onLost: () => log.warn("Processor heartbeat connection lost; another processor may repeat its work"),
  });
  try {
    await markLease(session, token);
  } catch (error) {
    await session.close();
    throw error;
  }
  return session.close;
}
