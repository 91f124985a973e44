import type { ErrorWord } from "./error-words.ts";

/** Duration of each phase in ms. Connection phases are null on a reused connection. */
export interface Timings {
  dns: number | null;
  connect: number | null;
  tls: number | null;
  /** From sending the request to the end of the response's headers. */
  first_byte: number | null;
  /** From the call to the end, including the wait for a free connection. */
  total: number;
  /** Whether the connection had already carried a request. */
  reused: boolean;
}

export interface ReceiverResponse {
  /** As sent: order, spelling and duplicates are preserved. */
  headers: [name: string, value: string][];
  /** The first bytes of the body, never decompressed. */
  body: Buffer;
  /** Number of body bytes read. */
  bytes: number;
  /** Whether `body` is incomplete: truncated here, or broken off by the receiver. */
  cut: boolean;
}

/** One HTTP request and its outcome. It succeeded if and only if `error` is null. */
export interface Exchange {
  /** Null unless the response's headers arrived completely. It decides the outcome, even if the body then fails. */
  status: number | null;
  error: { word: ErrorWord; code: string } | null;
  /** One sentence of detail for a person, such as the rule that refused the URL or how the body ended. */
  note: string | null;
  timings: Timings;
  /** The address connected to, or the one that failed. */
  address: string | null;
  /** When the receiver's certificate expires; null for plain http. */
  certificateUntil: Date | null;
  response: ReceiverResponse | null;
  /** Whether any byte of the request may have been sent. If false, the receiver has certainly not seen it. */
  wrote: boolean;
}
