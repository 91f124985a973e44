import type { MaveEvent } from "./events.ts";

/** An event as listed by the API, including its number within its video. */
export type SequencedEvent = MaveEvent & { sequence: number };

/** An event whose data was erased for privacy. */
type ErasedEvent = Omit<SequencedEvent, "data"> & { data: null };

/**
 * Yields a video's events in sequence, starting after the event with the id `after`, or with the oldest event if
 * `after` is null.
 */
export type EventSource = (video: string, after: string | null) => AsyncIterable<SequencedEvent>;

interface Page {
  data: (SequencedEvent | ErasedEvent)[];
  has_more: boolean;
  next: string | null;
}

const PAGES_MAX = 100;
const TIMEOUT_MS = 10_000;

/**
 * Creates an event source that fetches missed events from Mave's API and skips erased ones. Iterating over the events
 * throws if a request fails or takes longer than 10 s.
 * @param url Mave's base URL, such as `https://videos.example.com`
 * @param apiKey an API key with read access
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
    redirect: "error", // a redirect could leak the API key to another server
  });
  if (response.ok) return (await response.json()) as Page;
  await response.body?.cancel();
  // The cursor's event is past retention, so start from the oldest event. The inbox skips events that it has
  // already handled.
  if (after !== null && [404, 410, 422].includes(response.status)) return fetchPage(url, apiKey, video, null);
  throw new Error(`Failed to fetch missed events: ${address.origin}/v1/events returned ${response.status}.`);
}
