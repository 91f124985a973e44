import { type Caller, call } from "./api.ts";

/** What the API has acknowledged with a 2xx, as the caller knows it. */
export interface Acknowledged {
  created: Set<string>;
  deleted: Set<string>;
}

export interface Load {
  acknowledged: Acknowledged;
  /** Tries without a response, made again with the same key. */
  unanswered(): number;
  /** Ends when every caller has had its last response. */
  stop(): Promise<void>;
}

/** A random number generator that repeats: the same seed, the same run. */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Several callers, each creating a video, and deleting every second one, for as long as they are let. */
export function startLoad(caller: Caller, { callers = 4, pause_ms = 60, seed = 1 } = {}): Load {
  const acknowledged: Acknowledged = { created: new Set(), deleted: new Set() };
  let [unanswered, going] = [0, true];

  async function run(name: string, random: () => number): Promise<void> {
    for (let count = 0; going; count += 1) {
      const made = await call<{ id: string }>(
        caller,
        "POST",
        "/v1/videos",
        { name: `${name}-${count}` },
        `${name}-${count}`,
      );
      unanswered += made.unanswered;
      if (made.status >= 300) throw new Error(`A video was not created: ${made.status} ${JSON.stringify(made.body)}`);
      acknowledged.created.add(made.body.id);
      if (random() < 0.5) await remove(made.body.id);
      await new Promise((resolve) => setTimeout(resolve, pause_ms * random() * 2));
    }
  }

  /** A deletion whose response was lost answers 404 the next time: it has happened. */
  async function remove(video: string): Promise<void> {
    const gone = await call(caller, "DELETE", `/v1/videos/${video}`);
    unanswered += gone.unanswered;
    if (gone.status === 200 || (gone.status === 404 && gone.unanswered > 0)) acknowledged.deleted.add(video);
    else throw new Error(`A video was not deleted: ${gone.status} ${JSON.stringify(gone.body)}`);
  }

  const running = Array.from({ length: callers }, (_, index) =>
    run(`load-${seed}-${index}`, seeded(seed * 100 + index)),
  );
  const ended = Promise.all(running);
  ended.catch(() => {}); // told by `stop`
  return {
    acknowledged,
    unanswered: () => unanswered,
    async stop() {
      going = false;
      await ended;
    },
  };
}
