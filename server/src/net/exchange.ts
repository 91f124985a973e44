import type { ErrorWord } from "./error-words.ts";

/** Duration of each phase in ms. Connection phases are null on a reused connection. */
export interface Timings {
  dns: number | null;
  connect: number | null;
  tls: number | null;
  /** From sending the request to the end of the response's headers. */
  first_byte: number | null;
  /** From the call to the outcome, including any wait for a free connection. */
  total: number;
  /** Whether the connection had already carried a request. */
  reused: boolean;
}

export interface ReceiverResponse {
  /** Headers exactly as sent, with their order, spelling and duplicates. */
  headers: [name: string, value: string][];
  /** The beginning of the body, never decompressed. */
  body: Buffer;
  /** Number of body bytes read. */
  bytes: number;
}

/** One HTTP request and its outcome. The request succeeded if and only if `error` is null. */
export interface Exchange {
  /** Null unless all response headers arrived. The status decides the outcome, even if reading the body then fails. */
  status: number | null;
  error: { word: ErrorWord; code: string } | null;
  /** One human-readable sentence of detail, such as the rule that rejected the URL or how the body ended. */
  note: string | null;
  timings: Timings;
  /** The receiver's IP address, or the address that could not be reached. */
  address: string | null;
  /** When the receiver's certificate expires; null for plain HTTP. */
  certificateUntil: Date | null;
  response: ReceiverResponse | null;
  /** Whether any byte of the request may have been sent. If false, the receiver cannot have seen the request. */
  wrote: boolean;
}
