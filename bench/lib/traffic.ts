import { setTimeout as pause } from "node:timers/promises";
import { longUuid } from "../../server/src/kernel/short-uuid.ts";
import type { Bench } from "./engine.ts";
import { newEvent } from "./engine.ts";

/** Webhooks in spaces of their own, so that each event is one delivery. */
export interface Owned {
  space: string;
  /** UUID. */
  webhook: string;
}

/** Makes `count` webhooks, each in its own space. */
export async function registerMany(
  engine: Bench,
  count: number,
  urlOf: (number: number) => string,
  ordering: "video" | "none" = "video",
): Promise<Owned[]> {
  const made: Owned[] = [];
  for (let number = 0; number < count; number++) {
    const space = await engine.newSpace();
    const input = { url: urlOf(number), events: ["video.created" as const], ordering };
    const { id } = await engine.webhooks.create(space, input);
    made.push({ space, webhook: longUuid(id)! });
  }
  return made;
}

/** Does `work` so often a second, evenly; late ones at once. Resolves when all of it is done. */
export async function steadily(perSecond: number, count: number, work: (number: number) => Promise<unknown>) {
  const begun = performance.now();
  const under: Promise<unknown>[] = [];
  for (let number = 0; number < count; number++) {
    const early = begun + (number * 1000) / perSecond - performance.now();
    if (early > 1) await pause(early);
    under.push(work(number));
  }
  await Promise.all(under);
}

/** When events were committed and when their receiver, in this process, had them. */
export class Journal {
  readonly #committed = new Map<string, number>();
  readonly #arrived = new Map<string, number>();

  /** Hears of each request. */
  readonly arrive = (body: Buffer): void => {
    const id = body.toString("latin1", 7, 29);
    if (!this.#arrived.has(id)) this.#arrived.set(id, performance.now());
  };

  /** Records an event of this space and keeps when it was called: commit → arrival is less. */
  async record({ recorder }: Pick<Bench, "recorder">, { space }: Pick<Owned, "space">): Promise<string> {
    const called = performance.now();
    const { id } = await recorder.record(newEvent(space));
    this.#committed.set(id, called);
    return id;
  }

  /** Waits for these. @returns how long each took, ms */
  async times(ids: readonly string[], patience_ms = 60_000): Promise<number[]> {
    for (const deadline = performance.now() + patience_ms; performance.now() < deadline; await pause(5))
      if (ids.every((id) => this.#arrived.has(id))) break;
    const missing = ids.filter((id) => !this.#arrived.has(id)).length;
    if (missing > 0) throw new Error(`${missing} of ${ids.length} events did not arrive`);
    return ids.map((id) => this.#arrived.get(id)! - this.#committed.get(id)!);
  }
}
