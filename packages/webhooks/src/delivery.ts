import { type HeadersLike, headerOf } from "./input.ts";

/**
 * Delivery metadata from the request headers. The headers are not signed, so use the metadata only for ordering and
 * logging, never to decide whether to trust a request.
 */
export interface Delivery {
  id: string | null;
  /** 1 for the first attempt. */
  attempt: number | null;
  /** The event's number within its video, starting at 1, or 0 if the event has no video. */
  sequence: number | null;
  /** The sequence of the video's previous event that this webhook was due to receive, or 0 if there is none. */
  previous: number | null;
}

/**
 * Reads the `Mave-Delivery`, `-Attempt`, `-Sequence` and `-Previous` headers. A value is null if its header is missing
 * or malformed.
 */
export function deliveryOf(headers: HeadersLike): Delivery {
  const number = (name: string) => {
    const text = headerOf(headers, name);
    return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
  };
  return {
    id: headerOf(headers, "mave-delivery"),
    attempt: number("mave-attempt"),
    sequence: number("mave-sequence"),
    previous: number("mave-previous"),
  };
}
