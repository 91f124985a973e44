import { MaveError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";
import { requireFound } from "../kernel/not-found.ts";
import { UUID_MIN } from "../kernel/uuid.ts";
import type { Database, Sql } from "../store/db.ts";
import * as store from "../store/erasures.ts";

/** The API's representation of an erasure. */
export interface ErasureView {
  object: "erasure";
  video: string;
  /** How many events and attempts this request erased. */
  events: number;
  attempts: number;
  /** Whether attempts may remain, because one request erases only about ERASURE_ATTEMPTS_MAX of them. */
  has_more: boolean;
}

/** Erases the data of a deleted video's events, so that only the record of their delivery remains. */
export interface Erasures {
  /**
   * Erases event payloads, attempt headers and bodies, and the video's name and metadata, one slice per transaction.
   * After a crash, the finished slices stay erased, and repeating the call erases the rest.
   * @param tx the caller's transaction. The name is erased last, in this transaction, so that it commits together with
   *   the caller's audit entry
   * @throws NOT_FOUND; CONFLICT while the video exists or has pending deliveries
   */
  create(tx: Sql, space: string, video: string): Promise<ErasureView>;
}

export function createErasures({ db }: { db: Database }): Erasures {
  return { create: (tx, space, video) => create(db, tx, space, video) };
}

async function create(db: Database, tx: Sql, space: string, video: string): Promise<ErasureView> {
  await requireErasable(db, space, video);
  const events = await eraseEvents(db, space, video);
  const { attempts, has_more } = await eraseAttempts(db, space, video);
  await store.eraseNames(tx, space, video);
  return { object: "erasure", video, events, attempts, has_more };
}

async function requireErasable(db: Database, space: string, video: string): Promise<void> {
  const { deleted } = requireFound(await store.findErasable(db, space, video));
  if (!deleted) throw new MaveError("CONFLICT", "The video is not deleted. Delete it first.");
  requireNonePending(await store.countPendingOf(db, space, video, null));
}

function requireNonePending(pending: number): void {
  if (pending === 0) return;
  const which =
    pending === 1 ? "A delivery of this video is pending." : `${pending} deliveries of this video are pending.`;
  throw new MaveError(
    "CONFLICT",
    `${which} Wait for pending deliveries to finish, or cancel them with POST /v1/cancellations.`,
  );
}

/**
 * Erases event payloads. A deleted video gets no new events, and an event without a payload gets no new deliveries, so
 * no attempts can be added afterward.
 */
async function eraseEvents(db: Database, space: string, video: string): Promise<number> {
  for (let events = 0; ; ) {
    const erased = await db.transaction(async (tx) => {
      const slice = await store.lockErasable(tx, space, video, LIMITS.ERASURE_SLICE);
      if (slice.length === 0) return 0;
      requireNonePending(await store.countPendingOf(tx, space, video, slice)); // some may have been reopened
      await store.eraseEvents(tx, space, slice);
      return slice.length;
    });
    if (erased === 0) return events;
    events += erased;
  }
}

const FIRST: store.ErasurePlace = { webhook_id: UUID_MIN, sequence: 0 };

async function eraseAttempts(db: Database, space: string, video: string) {
  let attempts = 0;
  for (let place: store.ErasurePlace | undefined = FIRST; place !== undefined; ) {
    if (attempts >= LIMITS.ERASURE_ATTEMPTS_MAX) return { attempts, has_more: true };
    const slice = await store.eraseAttempts(db, space, video, place, LIMITS.ERASURE_SLICE);
    attempts += slice?.erased ?? 0;
    place = slice;
  }
  return { attempts, has_more: false };
}
