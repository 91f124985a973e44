import type { MaveEvent } from "./events.ts";

/** An event as the API lists it: with its number within its video. */
export type SequencedEvent = MaveEvent & { sequence: number };

/** One whose data was erased on request: only that it happened is left. */
type Erased = Omit<SequencedEvent, "data"> & { data: null };

/** Gives a video's events, oldest first, from after the event with the id `after`, or from the first. */
export type EventSource = (video: string, after: string | null) => AsyncIterable<SequencedEvent>;

interface Page {
  data: (SequencedEvent | Erased)[];
  has_more: boolean;
  next: string | null;
}

const PAGES_MAX = 100;
const TIMEOUT_MS = 10_000;

/**
 * Mave's own API as a source of missed events.
 * @param url where Mave runs, such as `https://videos.example.com`
 * @param apiKey one that may read
 */
export function eventsFrom(url: string, apiKey: string): EventSource {
  return async function* (video, after) {
    let cursor = after;
    for (let pages = 0; pages < PAGES_MAX; pages++) {
      const page = await fetchPage(url, apiKey, video, cursor);
      yield* page.data.filter((event) => event.data !== null) as SequencedEvent[];
      if (!page.has_more || page.next === null) return;
      cursor = page.next;
    }
  };
}

async function fetchPage(url: string, apiKey: string, video: string, after: string | null): Promise<Page> {
  const address = new URL("/v1/events", url);
  const query = { video, limit: "100", ...(after === null ? {} : { after }) };
  address.search = new URLSearchParams(query).toString();
  const response = await fetch(address, {
    headers: { authorization: `Bearer ${apiKey}` },
    signal: AbortSignal.timeout(TIMEOUT_MS),
    redirect: "error", // the key is for this server only
  });
  if (response.ok) return (await response.json()) as Page;
  await response.body?.cancel();
  // The event we stopped at is no longer kept: begin with the oldest one that is; known ones are skipped by number.
  if (after !== null && [404, 410, 422].includes(response.status)) return fetchPage(url, apiKey, video, null);
  throw new Error(`Missed events could not be fetched: ${address.origin}/v1/events answered ${response.status}.`);
}
