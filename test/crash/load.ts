import { type Caller, call } from "./caller.ts";

/** The ids of videos whose creation or deletion the API acknowledged. */
export interface Acknowledged {
  created: Set<string>;
  deleted: Set<string>;
}

export interface Load {
  acknowledged: Acknowledged;
  /** Returns the number of failed tries, each of which was retried. */
  failedTries(): number;
  /** Stops the callers, and resolves once they have received all responses. */
  stop(): Promise<void>;
}

/** Returns a seeded random number generator. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Starts callers that keep creating videos, and deleting about half of them, until `stop` is called. */
export function startLoad(caller: Caller, { callers = 4, pause_ms = 60, seed = 1 } = {}): Load {
  const acknowledged: Acknowledged = { created: new Set(), deleted: new Set() };
  let [failedTries, isRunning] = [0, true];

  async function run(name: string, random: () => number): Promise<void> {
    for (let count = 0; isRunning; count += 1) {
      const body = { name: `${name}-${count}` };
      const created = await call<{ id: string }>(caller, "POST", "/v1/videos", body, body.name);
      failedTries += created.failedTries;
      if (created.status >= 300) throw new Error(`POST returned ${created.status}: ${JSON.stringify(created.body)}`);
      acknowledged.created.add(created.body.id);
      if (random() < 0.5) await remove(created.body.id);
      await new Promise((resolve) => setTimeout(resolve, pause_ms * random() * 2));
    }
  }

  /** Deletes a video. If the response is lost, the next try returns 404, because the video is already deleted. */
  async function remove(video: string): Promise<void> {
    const deleted = await call(caller, "DELETE", `/v1/videos/${video}`);
    failedTries += deleted.failedTries;
    if (deleted.status === 200 || (deleted.status === 404 && deleted.failedTries > 0)) acknowledged.deleted.add(video);
    else throw new Error(`DELETE returned ${deleted.status}: ${JSON.stringify(deleted.body)}`);
  }

  const running = Promise.all(
    Array.from({ length: callers }, (_, index) => run(`load-${seed}-${index}`, seeded(seed * 100 + index))),
  );
  running.catch(() => {}); // `stop` throws the error
  return {
    acknowledged,
    failedTries: () => failedTries,
    async stop() {
      isRunning = false;
      await running;
    },
  };
}
