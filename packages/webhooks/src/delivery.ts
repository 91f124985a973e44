import { type HeadersLike, headerOf } from "./input.ts";

/** Delivery metadata from the request headers, which are not signed: use it for ordering and logs, never for trust. */
export interface Delivery {
  id: string | null;
  /** 1 for the first attempt. */
  attempt: number | null;
  /** The event's number within its video, from 1; 0 for an event without a video. */
  sequence: number | null;
  /** The sequence of the previous event of this video that this webhook was due to receive; 0 if there is none. */
  previous: number | null;
}

/** Reads the `Mave-Delivery`, `-Attempt`, `-Sequence` and `-Previous` headers; a missing or malformed one is null. */
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
