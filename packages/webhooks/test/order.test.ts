import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { MaveEvent } from "../src/index.ts";
import { createInbox, type EventSource, eventsFrom, memoryStore, type SequencedEvent } from "../src/order.ts";

const event = (video: string, sequence: number, type = "video.created"): SequencedEvent =>
  ({
    id: `${video}-${sequence}`,
    object: "event",
    type,
    created: 1_643_723_823 + sequence,
    data: { id: video, object: "video" },
    sequence,
  }) as SequencedEvent;

/** Creates an event source that has these events. */
const apiOf = (events: readonly SequencedEvent[]): EventSource =>
  async function* (video, after) {
    const ofVideo = events.filter(({ data }) => data.id === video);
    yield* ofVideo.slice(ofVideo.findIndex(({ id }) => id === after) + 1);
  };

const strip = ({ sequence: _, ...rest }: SequencedEvent) => rest as MaveEvent;

describe("an inbox", () => {
  test("handles an event once, even if several copies arrive at the same time", async () => {
    const handle = vi.fn(() => new Promise((resolve) => setImmediate(resolve)));
    const inbox = createInbox({ store: memoryStore(), events: apiOf([]), handle });
    const one = strip(event("a", 1));
    const outcomes = await Promise.all([1, 2, 3].map(() => inbox(one, { sequence: 1, previous: 0 })));
    expect(outcomes).toEqual(["handled", "duplicate", "duplicate"]);
    expect(handle).toHaveBeenCalledExactlyOnceWith(one, { tx: undefined, sequence: 1, late: false, refilled: false });
  });

  test("fetches missing events, handles them first and in order, and reports the gap", async () => {
    const all = [1, 2, 3, 4, 5].map((number) => event("a", number));
    const handled: [number, boolean][] = [];
    const onGap = vi.fn();
    const inbox = createInbox({
      store: memoryStore(),
      events: apiOf(all.filter(({ sequence }) => sequence !== 3)),
      handle: (_event, { sequence, refilled }) => void handled.push([sequence, refilled]),
      onGap,
    });
    await inbox(strip(all[0]!), { sequence: 1, previous: 0 });
    await inbox(strip(all[4]!), { sequence: 5, previous: 4 });
    expect(handled).toEqual([
      [1, false],
      [2, true],
      [4, true],
      [5, false],
    ]);
    expect(onGap).toHaveBeenCalledExactlyOnceWith({
      video: "a",
      after: 1,
      until: 4,
      refilled: ["a-2", "a-4"],
      missing: [3],
    });
  });

  test("does not report a gap for events that the webhook is not due to receive", async () => {
    const onGap = vi.fn();
    const inbox = createInbox({ store: memoryStore(), events: apiOf([]), handle: vi.fn(), onGap });
    await inbox(strip(event("a", 1)), { sequence: 1, previous: 0 });
    await inbox(strip(event("a", 4)), { sequence: 4, previous: 1 });
    expect(onGap).not.toHaveBeenCalled();
  });

  test("refills only events of the configured types, and none older than `since`", async () => {
    const all = [event("a", 1), event("a", 2, "video.processing"), event("a", 3), event("a", 4)];
    const handled: number[] = [];
    const inbox = createInbox({
      store: memoryStore(),
      events: apiOf(all),
      handle: (_event, { sequence }) => void handled.push(sequence),
      types: ["video.created"],
      since: all[1]!.created,
    });
    await inbox(strip(all[3]!), { sequence: 4, previous: 3 });
    expect(handled).toEqual([3, 4]);
  });

  test("does not mark an event whose handler failed, so that the next attempt handles it", async () => {
    const handle = vi.fn().mockRejectedValueOnce(new Error("database down"));
    const inbox = createInbox({ store: memoryStore(), events: apiOf([]), handle });
    const one = strip(event("a", 1));
    await expect(inbox(one, { sequence: 1, previous: 0 })).rejects.toThrow("database down");
    expect(await inbox(one, { sequence: 1, previous: 0 })).toBe("handled");
  });

  test("drops duplicates of events without a video", async () => {
    const handle = vi.fn();
    const inbox = createInbox({ store: memoryStore(), events: apiOf([]), handle });
    const disabled = { ...strip(event("a", 0)), type: "webhook.disabled", data: { object: "webhook" } } as MaveEvent;
    expect(await inbox(disabled, { sequence: 0, previous: 0 })).toBe("handled");
    expect(await inbox(disabled, { sequence: 0, previous: 0 })).toBe("duplicate");
  });

  test("keeps no more events than the store's capacity", async () => {
    const handle = vi.fn();
    const inbox = createInbox({ store: memoryStore(2), events: apiOf([]), handle });
    for (const video of ["a", "b", "c", "a"]) await inbox(strip(event(video, 1)), { sequence: 1, previous: 0 });
    expect(handle).toHaveBeenCalledTimes(4);
  });
});

/**
 * Generates, for each event, whether it is due, how often it arrives, how often its handler fails, and whether the API
 * has it.
 */
const fates = fc.array(
  fc.array(fc.record({ due: fc.boolean(), arrivals: fc.nat(3), failures: fc.nat(2), known: fc.boolean() }), {
    maxLength: 12,
  }),
  { minLength: 1, maxLength: 4 },
);

describe("an inbox with random deliveries", () => {
  const run = async (
    videos: { due: boolean; arrivals: number; failures: number; known: boolean }[][],
    order: number[],
  ) => {
    const type = (due: boolean) => (due ? "video.created" : "video.processing");
    const all = videos.map((list, v) => list.map(({ due }, index) => event(`v${v}`, index + 1, type(due))));
    const failuresLeft = new Map(all.flatMap((list, v) => list.map(({ id }, i) => [id, videos[v]![i]!.failures])));
    const handled: { id: string; video: string; sequence: number; late: boolean }[] = [];
    const missing: string[] = [];
    const inbox = createInbox({
      store: memoryStore(),
      events: apiOf(all.flatMap((list, v) => list.filter((_, index) => videos[v]![index]!.known))),
      types: ["video.created"],
      handle: ({ id, data }, { sequence, late }) => {
        const left = failuresLeft.get(id)!;
        failuresLeft.set(id, left - 1);
        if (left > 0) throw new Error("not now");
        handled.push({ id, video: data.id, sequence, late });
      },
      onGap: (gap) => void missing.push(...gap.missing.map((number) => `${gap.video}-${number}`)),
    });
    const deliveries = all.flatMap((list, v) => {
      const due = list.filter((_, index) => videos[v]![index]!.due);
      return due.flatMap((one, index) => {
        const previous = due[index - 1]?.sequence ?? 0;
        return Array.from({ length: videos[v]![one.sequence - 1]!.arrivals }, () => ({ one, previous }));
      });
    });
    const shuffled =
      order.length === 0 ? deliveries : deliveries.map((_, i) => deliveries[(order[i]! + i) % deliveries.length]!);
    for (const { one, previous } of shuffled) {
      // Mave retries until the receiver accepts the event.
      for (let attempt = 0; attempt < 40; attempt++) {
        const outcome = await inbox(strip(one), { sequence: one.sequence, previous }).catch(() => null);
        if (outcome !== null) break;
      }
    }
    return { all, handled, missing, delivered: new Set(shuffled.map(({ one }) => one.id)) };
  };

  test("that arrive in order handles each due event once and in order, and refills or reports lost events", async () => {
    await fc.assert(
      fc.asyncProperty(fates, async (videos) => {
        const { all, handled, missing, delivered } = await run(videos, []);
        expect(new Set(handled.map(({ id }) => id)).size).toBe(handled.length);
        expect(handled.filter(({ late }) => late)).toEqual([]);
        for (const [v, list] of all.entries()) {
          const due = list.filter((_, index) => videos[v]![index]!.due);
          const lastSeen = due.findLastIndex(({ id }) => delivered.has(id));
          for (const one of due.slice(0, lastSeen + 1)) {
            const was = handled.some(({ id }) => id === one.id);
            expect(was || missing.includes(one.id), `${one.id} was neither handled nor reported`).toBe(true);
            if (videos[v]![one.sequence - 1]!.known) expect(was).toBe(true);
          }
          const order = handled.filter(({ video }) => video === `v${v}`).map(({ sequence }) => sequence);
          expect(order).toEqual([...order].sort((a, b) => a - b));
        }
      }),
      { numRuns: 300 },
    );
  });

  test("that arrive in any order handles each event once, and marks it as late if a later event was handled first", async () => {
    await fc.assert(
      fc.asyncProperty(fates, fc.array(fc.nat(), { minLength: 150, maxLength: 150 }), async (videos, order) => {
        const { handled, delivered } = await run(videos, order);
        expect(new Set(handled.map(({ id }) => id)).size).toBe(handled.length);
        for (const id of delivered) expect(handled.some((one) => one.id === id)).toBe(true);
        const highest = new Map<string, number>();
        for (const { video, sequence, late } of handled) {
          expect(late).toBe(sequence < (highest.get(video) ?? 0));
          highest.set(video, Math.max(sequence, highest.get(video) ?? 0));
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("eventsFrom", () => {
  afterEach(() => void vi.unstubAllGlobals());
  const respondWith = (...responses: Response[]) => {
    const fetched = vi.fn(async (_url: URL, _init: RequestInit) => responses.shift()!);
    vi.stubGlobal("fetch", fetched);
    return fetched;
  };
  const page = (data: SequencedEvent[], next: string | null) =>
    Response.json({ object: "list", data, has_more: next !== null, next });
  const all = async (source: AsyncIterable<SequencedEvent>) => {
    const found: SequencedEvent[] = [];
    for await (const one of source) found.push(one);
    return found;
  };

  test("pages through the events that follow the last known event", async () => {
    const fetched = respondWith(page([event("a", 2)], "a-2"), page([event("a", 3)], null));
    const found = await all(eventsFrom("https://videos.example.com", "mave_key")("a", "a-1"));
    expect(found.map(({ sequence }) => sequence)).toEqual([2, 3]);
    expect(fetched.mock.calls.map(([url]) => url.href)).toEqual([
      "https://videos.example.com/v1/events?video=a&limit=100&after=a-1",
      "https://videos.example.com/v1/events?video=a&limit=100&after=a-2",
    ]);
    expect(fetched.mock.calls[0]![1].headers).toEqual({ authorization: "Bearer mave_key" });
  });

  test("starts with the oldest event if the last known event is past retention", async () => {
    const fetched = respondWith(new Response(null, { status: 404 }), page([event("a", 9)], null));
    expect(await all(eventsFrom("https://a.example", "mave_key")("a", "gone"))).toHaveLength(1);
    expect(fetched.mock.calls[1]![0].search).toBe("?video=a&limit=100");
  });

  test("skips erased events", async () => {
    const erased = { ...event("a", 2), data: null } as unknown as SequencedEvent;
    respondWith(page([event("a", 1), erased, event("a", 3)], null));
    const found = await all(eventsFrom("https://a.example", "mave_key")("a", null));
    expect(found.map(({ sequence }) => sequence)).toEqual([1, 3]);
  });

  test("throws if the API fails, so that the delivery fails and is retried", async () => {
    respondWith(new Response(null, { status: 503 }));
    await expect(all(eventsFrom("https://a.example", "mave_key")("a", null))).rejects.toThrow("returned 503");
  });
});
