import { MaveError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";
import { UUID_MIN } from "../kernel/uuid.ts";
import type { Database, Sql } from "../store/db.ts";
import * as store from "../store/erasures.ts";

/** The API's object for an erasure. */
export interface ErasureView {
  object: "erasure";
  video: string;
  /** How many of them lost their contents by this request. */
  events: number;
  attempts: number;
  /** There is more: one erasure clears ERASURE_ATTEMPTS_MAX attempts at most. */
  has_more: boolean;
}

/** Removing what the log knows of a deleted video, so that only the fact of delivery is left. */
export interface Erasures {
  /**
   * Removes the payloads of its events, headers and bodies of their attempts, and what people called it. Killed on the
   * way, what it did is done; the same call again does the rest, and one more finds nothing to do.
   * @throws NOT_FOUND, CONFLICT while the video exists or a delivery of it is open
   */
  create(tx: Sql, space: string, video: string): Promise<ErasureView>;
}

export function createErasures({ db }: { db: Database }): Erasures {
  return { create: (tx, space, video) => create(db, tx, space, video) };
}

async function create(db: Database, tx: Sql, space: string, video: string): Promise<ErasureView> {
  await refuseWhatIsAlive(db, space, video);
  const events = await eraseEvents(db, space, video);
  const { attempts, has_more } = await eraseAttempts(db, space, video);
  await store.eraseNames(tx, space, video);
  return { object: "erasure", video, events, attempts, has_more };
}

async function refuseWhatIsAlive(db: Database, space: string, video: string): Promise<void> {
  const found = await store.findErasable(db, space, video);
  if (found === undefined) throw new MaveError("NOT_FOUND");
  if (!found.deleted) throw new MaveError("CONFLICT", "This video exists. Delete it first.");
  refuseOpen(await store.countOpenOf(db, space, video, null));
}

function refuseOpen(open: number): void {
  if (open === 0) return;
  const which = open === 1 ? "A delivery of this video is open." : `${open} deliveries of this video are open.`;
  throw new MaveError("CONFLICT", `${which} Wait until none is, or cancel them: POST /v1/cancellations.`);
}

/**
 * A slice in each transaction. A deleted video gets no new event, and an event without its payload no new delivery: after
 * this its attempts are all there will ever be.
 */
async function eraseEvents(db: Database, space: string, video: string): Promise<number> {
  for (let events = 0; ; ) {
    const erased = await db.transaction(async (tx) => {
      const slice = await store.lockErasable(tx, space, video, LIMITS.ERASURE_SLICE);
      if (slice.length === 0) return 0;
      refuseOpen(await store.countOpenOf(tx, space, video, slice)); // one that was opened since it was looked
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
