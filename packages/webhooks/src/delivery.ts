import { type HeadersLike, headerOf } from "./input.ts";

/** What the headers say about this delivery. They are not signed: good for order and for logs, not for trust. */
export interface Delivery {
  id: string | null;
  /** 1 for the first attempt. */
  attempt: number | null;
  /** The event's number within its video, from 1; 0 for an event without a video. */
  sequence: number | null;
  /** The number of the last earlier event of this video that this webhook was due; 0 for none. */
  previous: number | null;
}

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
