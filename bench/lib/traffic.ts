import { setTimeout as pause } from "node:timers/promises";
import { longUuid } from "../../server/src/kernel/short-uuid.ts";
import { type Bench, newEvent } from "./start-engine.ts";

/** A webhook that is alone in its space, so that each event has exactly one delivery. */
export interface Target {
  space: string;
  /** The webhook's UUID. */
  webhook: string;
}

/** Registers `count` webhooks, each in its own space. */
export async function registerMany(
  engine: Bench,
  count: number,
  urlOf: (number: number) => string,
  ordering: "video" | "none" = "video",
): Promise<Target[]> {
  const made: Target[] = [];
  for (let number = 0; number < count; number++) {
    const space = await engine.newSpace();
    const input = { url: urlOf(number), events: ["video.created" as const], ordering };
    const { id } = await engine.webhooks.create(engine.db, space, input);
    made.push({ space, webhook: longUuid(id)! });
  }
  return made;
}

/** Calls `work` at an even rate, or without pauses while behind schedule. Resolves when all calls have finished. */
export async function steadily(perSecond: number, count: number, work: (number: number) => Promise<unknown>) {
  const begin = performance.now();
  const started: Promise<unknown>[] = [];
  for (let number = 0; number < count; number++) {
    const early = begin + (number * 1000) / perSecond - performance.now();
    if (early > 1) await pause(early);
    started.push(work(number));
  }
  await Promise.all(started);
}

/** Measures how long events take from the call to `record` until they arrive at a receiver in this process. */
export class Journal {
  readonly #called = new Map<string, number>();
  readonly #arrived = new Map<string, number>();

  /** Notes an arrival. The receiver must call this with each request body. */
  readonly arrive = (body: Buffer): void => {
    const id = body.toString("latin1", 7, 29);
    if (!this.#arrived.has(id)) this.#arrived.set(id, performance.now());
  };

  /** Records an event and notes the time of the call, not of the commit. */
  async record({ recorder }: Pick<Bench, "recorder">, { space }: Pick<Target, "space">): Promise<string> {
    const called = performance.now();
    const { id } = await recorder.recordAlone(newEvent(space));
    this.#called.set(id, called);
    return id;
  }

  /** Waits for these events to arrive. @returns each event's latency, in ms */
  async latencies(ids: readonly string[], timeout_ms = 60_000): Promise<number[]> {
    for (const deadline = performance.now() + timeout_ms; performance.now() < deadline; await pause(5))
      if (ids.every((id) => this.#arrived.has(id))) break;
    const missing = ids.filter((id) => !this.#arrived.has(id)).length;
    if (missing > 0) throw new Error(`${missing} of ${ids.length} events did not arrive`);
    return ids.map((id) => this.#arrived.get(id)! - this.#called.get(id)!);
  }
}
