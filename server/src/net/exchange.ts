import type { ErrorWord } from "./error-words.ts";

/** How long each phase took, in ms. Connection phases are null on a connection that an earlier request made. */
export interface Timings {
  dns: number | null;
  connect: number | null;
  tls: number | null;
  /** From the request's first byte sent to the end of the response's headers. */
  first_byte: number | null;
  /** From the call to the end, waiting for a free connection included. */
  total: number;
  /** Whether the connection had carried a request before. */
  reused: boolean;
}

/** What the receiver answered. */
export interface ReceiverResponse {
  /** In the order sent, with the names as sent, duplicates included. */
  headers: [name: string, value: string][];
  /** The first bytes of the body as they came, never decompressed. */
  body: Buffer;
  /** Bytes of the body that were read. */
  bytes: number;
  /** Whether `body` is less than the receiver sent, or meant to send. */
  cut: boolean;
}

/** What came of one HTTP request. It was a success if and only if `error` is null. */
export interface Exchange {
  /** The status, where the response's headers arrived whole; it decides, whatever happens to the body. */
  status: number | null;
  error: { word: ErrorWord; code: string } | null;
  /** One sentence on what a person should know besides: which rule refused, how the body ended. */
  note: string | null;
  timings: Timings;
  /** The address connected to, or that could not be. */
  address: string | null;
  /** When the receiver's certificate ends; null where the scheme is http. */
  certificateUntil: Date | null;
  response: ReceiverResponse | null;
  /** Whether a byte of the request may have left. False: the receiver has certainly not seen it. */
  wrote: boolean;
}
