import { subscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import type { Dispatcher } from "undici";
import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Connection, Connector } from "./connector.ts";
import { ERROR_WORDS, type Failure, failureOf, NetworkError } from "./error-words.ts";
import type { Exchange, ReceiverResponse } from "./exchange.ts";
import { tlsFault } from "./tls-faults.ts";

/** The client's dependencies, shared by all requests. */
export interface RequestParts {
  clock: Clock;
  connector: Connector;
  settled(sending: InFlightRequest, exchange: Exchange): void;
}

/** A scheme, host and port, with the requests waiting for a connection to it. */
export interface Origin {
  readonly name: string;
  inFlight: number;
  waiting: InFlightRequest[];
}

/** undici publishes a request's socket right after `onRequestStart`, in the same turn of the event loop. */
let starting: InFlightRequest | null = null;
subscribe("undici:client:sendHeaders", (message) => {
  if (starting === null) return;
  starting.onWritten((message as { socket: Socket }).socket);
  starting = null;
});

/** The abort reason passed to undici when this class ends a request itself. */
const SETTLED = new NetworkError("stopped", "SETTLED");

/**
 * The undici handler for one request. It settles exactly once: at the end of the response, on an error or at its
 * deadline. Events after that are ignored. Undici's own timeouts are not enough, because every byte received resets
 * them.
 */
export class InFlightRequest implements Dispatcher.DispatchHandler {
  readonly origin: Origin;
  readonly options: Dispatcher.DispatchOptions;
  /** The undici agent that sends the request. */
  readonly agent: Dispatcher;
  readonly resolve: (exchange: Exchange) => void;
  /** True once the request is passed to undici; false while it waits in its origin's queue. */
  isDispatched = false;
  readonly #parts: RequestParts;
  readonly #startedAt: number;
  readonly #deadline_ms: number;
  #cancelTimer: () => void;
  #controller: Dispatcher.DispatchController | null = null;
  #connection: Connection | undefined;
  #reused = false;
  #socket: Socket | null = null;
  #bytesBefore = 0;
  #wroteAt: number | null = null;
  #firstByte_ms: number | null = null;
  #status: number | null = null;
  #interim = 0;
  #chunks: Buffer[] = [];
  #kept = 0;
  #bytes = 0;
  #rawHeaders: Dispatcher.DispatchController["rawHeaders"];
  #done = false;

  constructor(
    parts: RequestParts,
    origin: Origin,
    agent: Dispatcher,
    options: Dispatcher.DispatchOptions,
    deadline_ms: number,
    resolve: (exchange: Exchange) => void,
  ) {
    this.origin = origin;
    this.agent = agent;
    this.options = options;
    this.resolve = resolve;
    this.#parts = parts;
    this.#deadline_ms = deadline_ms;
    this.#startedAt = parts.clock.monotonic();
    this.#cancelTimer = this.#wait(deadline_ms);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // The request settled while it was waiting for a connection, so it must not be sent.
    if (this.#done) {
      controller.abort(SETTLED);
      return;
    }
    this.#controller = controller;
    starting = this;
  }

  onWritten(socket: Socket): void {
    this.#wroteAt = this.#parts.clock.monotonic();
    this.#socket = socket;
    this.#bytesBefore = socket.bytesRead;
    this.#connection = this.#parts.connector.connectionOf(socket);
    if (this.#connection === undefined) return;
    this.#reused = this.#connection.used;
    this.#connection.used = true;
    this.#connection.busy = true;
    this.#connection.filter?.reset();
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (this.#done) return;
    if (status < 200) {
      this.#interim += 1;
      if (this.#interim > LIMITS.INTERIM_RESPONSES_MAX) this.#end({ word: "response_invalid", code: "INTERIM_FLOOD" });
      return;
    }
    this.#firstByte_ms = this.#parts.clock.monotonic() - (this.#wroteAt ?? this.#startedAt);
    this.#status = status;
    this.#rawHeaders = controller.rawHeaders;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#done) return;
    this.#bytes += chunk.length;
    const room = LIMITS.RESPONSE_STORED_BYTES - this.#kept;
    if (room > 0) {
      // Copy the bytes. A slice would keep the whole read buffer in memory until the log entry is written.
      const part = Buffer.from(chunk.subarray(0, room));
      this.#chunks.push(part);
      this.#kept += part.length;
    }
    if (this.#bytes > LIMITS.RESPONSE_READ_BYTES)
      this.#end(null, `The response is longer than ${LIMITS.RESPONSE_READ_BYTES} bytes; the rest was not read.`);
  }

  onResponseEnd(): void {
    if (!this.#done) this.#settle(null, null);
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#done) return;
    this.#connection ??= this.#parts.connector.connectionOf(error);
    const failure = failureOf(error);
    if (this.#status !== null)
      this.#settle(null, `The connection failed before the response was complete (${failure.code}).`);
    else if (isHttp2(error)) this.#settle({ ...failure, word: "http2_only" }, null);
    else {
      const { certificate = null } = this.#connection ?? {};
      const { word, note } = tlsFault(failure, certificate, new URL(this.origin.name).hostname);
      this.#settle({ ...failure, word }, note ?? detailOf(failure, error));
    }
  }

  /** Ends the request immediately, for shutdown. */
  stop(): void {
    if (this.#done) return;
    if (this.#status === null) this.#end({ word: "stopped", code: "STOPPED" });
    else this.#end(null, "This server stopped before the response was complete.");
  }

  /**
   * Waits in steps and checks for a flood after each one, because the parser does not limit every part of a response.
   */
  #wait(left_ms: number): () => void {
    const step_ms = Math.min(left_ms, LIMITS.RESPONSE_RAW_CHECK_MS);
    return this.#parts.clock.after(step_ms, () => {
      if (step_ms >= left_ms) this.#expire();
      else if (this.#isFlooded()) this.#endFlood();
      else this.#cancelTimer = this.#wait(left_ms - step_ms);
    });
  }

  #isFlooded(): boolean {
    return this.#socket !== null && this.#socket.bytesRead - this.#bytesBefore > LIMITS.RESPONSE_RAW_BYTES;
  }

  #endFlood(): void {
    if (this.#status === null) this.#end({ word: "response_invalid", code: "ENDLESS" });
    else this.#end(null, `The response is longer than ${LIMITS.RESPONSE_RAW_BYTES} bytes; the rest was not read.`);
  }

  #expire(): void {
    if (this.#status === null) this.#end({ word: "timeout", code: this.#wroteAt === null ? "CONNECT" : "RESPONSE" });
    else this.#end(null, `The response was not complete after ${this.#deadline_ms} ms.`);
  }

  #end(failure: Failure | null, note: string | null = null): void {
    this.#settle(failure, note);
    this.#controller?.abort(SETTLED);
  }

  /** Closes the request's connection if it is too old for another request. */
  closeExpiredConnection(): void {
    if (this.#socket !== null) this.#parts.connector.closeIfExpired(this.#socket);
  }

  #settle(failure: Failure | null, note: string | null): void {
    this.#done = true;
    this.#cancelTimer();
    if (this.#connection !== undefined) this.#connection.busy = false;
    const status = failure === null ? this.#status : null;
    this.#parts.settled(this, {
      status,
      error: failure ?? statusFailure(status),
      note,
      timings: this.#timings(),
      address: this.#connection?.address ?? null,
      certificateUntil: this.#connection?.tls == null ? null : (this.#connection.certificate?.validToDate ?? null),
      response: status === null ? null : this.#response(),
      wrote: this.#wroteAt !== null,
    });
  }

  #timings(): Exchange["timings"] {
    const connection = this.#reused ? undefined : this.#connection;
    return {
      dns: connection?.dns ?? null,
      connect: connection?.connect ?? null,
      tls: connection?.tls ?? null,
      first_byte: this.#firstByte_ms,
      total: this.#parts.clock.monotonic() - this.#startedAt,
      reused: this.#reused,
    };
  }

  #response(): ReceiverResponse {
    const body = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks, this.#kept);
    return { headers: pairs(this.#rawHeaders), body, bytes: this.#bytes };
  }
}

/**
 * Only 2xx is a success. Redirects have their own error word. They are not followed, because following them could
 * bypass the address policy.
 */
function statusFailure(status: number | null): Failure | null {
  if (status !== null && status >= 200 && status < 300) return null;
  const redirect = status !== null && status >= 300 && status < 400 && status !== 304;
  return { word: redirect ? "redirect_refused" : "status", code: String(status) };
}

/** Whether the parser failed at the SETTINGS frame with which a server begins HTTP/2 (RFC 9113 §6.5). */
function isHttp2(error: Error & { data?: string }): boolean {
  const [lengthHigh, lengthMiddle, , type] = Buffer.from(error.data ?? "", "latin1");
  return error.name === "HTTPParserError" && lengthHigh === 0 && lengthMiddle === 0 && type === SETTINGS_FRAME;
}

const SETTINGS_FRAME = 4;

/**
 * Returns detail beyond the error word, such as the host name, the address and rule, or the HTTP violation. Only errors
 * whose messages are written for users are included, because other messages may contain paths and internals.
 */
function detailOf({ word }: Failure, error: Error): string | null {
  if (word === "headers_too_large") return `They are longer than ${LIMITS.RESPONSE_HEADERS_BYTES} bytes.`;
  if (error.name === "HTTPParserError") return error.message;
  return error instanceof NetworkError && error.message !== ERROR_WORDS[word] ? error.message : null;
}

function pairs(raw: Dispatcher.DispatchController["rawHeaders"]): [string, string][] {
  const flat = (Array.isArray(raw) ? raw : []) as (Buffer | string)[];
  const headers: [string, string][] = [];
  for (let index = 0; index + 1 < flat.length; index += 2) headers.push([text(flat[index]!), text(flat[index + 1]!)]);
  return headers;
}

/** Headers have no declared encoding; latin1 preserves every byte. */
const text = (value: Buffer | string): string => (typeof value === "string" ? value : value.toString("latin1"));
