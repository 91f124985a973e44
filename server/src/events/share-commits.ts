import { LIMITS } from "../limits.ts";
import type { Envelope, Happening } from "./envelope.ts";

interface Waiting {
  happening: Happening;
  resolve(envelope: Envelope): void;
  reject(error: unknown): void;
}

/**
 * Gathers events that come while commits are running into the next one: one commit for all of them costs hardly more than
 * one for each. Nothing waits where nothing runs. Where a shared transaction fails, each of its events fails with it.
 * @param commit records events of different videos in one transaction
 */
export function shareCommits(
  commit: (happenings: readonly Happening[]) => Promise<Envelope[]>,
): (happening: Happening) => Promise<Envelope> {
  const waiting: Waiting[] = [];
  let running = 0;

  function run(): void {
    if (running >= LIMITS.SHARED_COMMITS_MAX || waiting.length === 0) return;
    running += 1;
    const batch = takeBatch(waiting);
    void commit(batch.map(({ happening }) => happening))
      .then(
        (envelopes) => batch.forEach(({ resolve }, index) => void resolve(envelopes[index]!)),
        (error) => batch.forEach(({ reject }) => void reject(error)),
      )
      .then(() => {
        running -= 1;
        run();
      });
  }

  return (happening) =>
    new Promise((resolve, reject) => {
      waiting.push({ happening, resolve, reject });
      if (running === 0) queueMicrotask(run);
      else run();
    });
}

/** The first ones; of each video only one, as a statement does not see what it inserts itself. */
function takeBatch(waiting: Waiting[]): Waiting[] {
  const videos = new Set<string>();
  const [batch, later]: [Waiting[], Waiting[]] = [[], []];
  for (const one of waiting.splice(0, LIMITS.SHARED_COMMIT_EVENTS_MAX)) {
    const { video } = one.happening;
    if (video !== null && videos.has(video)) later.push(one);
    else batch.push(one);
    if (video !== null) videos.add(video);
  }
  waiting.unshift(...later);
  return batch;
}
