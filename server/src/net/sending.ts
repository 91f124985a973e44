import { subscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import type { Dispatcher } from "undici";
import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Connection, Connector } from "./connector.ts";
import { ERROR_WORDS, type Failure, failureOf, NetFault } from "./error-words.ts";
import type { Exchange, ReceiverResponse } from "./exchange.ts";

/** What a sending needs of its client; one for all of them. */
export interface SendingParts {
  clock: Clock;
  connector: Connector;
  settled(sending: Sending, exchange: Exchange): void;
}

/** One scheme, host and port, and the line of those who wait for a connection to it. */
export interface Origin {
  readonly name: string;
  inFlight: number;
  waiting: Sending[];
}

/** undici publishes the socket of a request right after `onRequestStart`, in the same turn. */
let starting: Sending | null = null;
subscribe("undici:client:sendHeaders", (message) => {
  if (starting === null) return;
  starting.onWritten((message as { socket: Socket }).socket);
  starting = null;
});

/** The reason given to undici where we end a request ourselves. */
const ENOUGH = new NetFault("stopped", "SETTLED");

/**
 * One request under way: undici's handler. It settles exactly once, by the response's end, an error or its own deadline;
 * what comes later does nothing. undici's own timeouts are refreshed by every byte, so a receiver that drips outlives them.
 */
export class Sending implements Dispatcher.DispatchHandler {
  readonly origin: Origin;
  readonly options: Dispatcher.DispatchOptions;
  readonly resolve: (exchange: Exchange) => void;
  /** Handed to undici; false while it stands in its origin's line. */
  dispatched = false;
  readonly #parts: SendingParts;
  readonly #began: number;
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
    parts: SendingParts,
    origin: Origin,
    options: Dispatcher.DispatchOptions,
    deadline_ms: number,
    resolve: (exchange: Exchange) => void,
  ) {
    this.origin = origin;
    this.options = options;
    this.resolve = resolve;
    this.#parts = parts;
    this.#deadline_ms = deadline_ms;
    this.#began = parts.clock.monotonic();
    this.#cancelTimer = this.#wait(deadline_ms);
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Settled while it waited for a connection: it is never written.
    if (this.#done) {
      controller.abort(ENOUGH);
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
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    if (this.#done) return;
    if (status < 200) {
      this.#interim += 1;
      if (this.#interim > LIMITS.INTERIM_RESPONSES_MAX) this.#end({ word: "response_invalid", code: "INTERIM_FLOOD" });
      return;
    }
    this.#firstByte_ms = this.#parts.clock.monotonic() - (this.#wroteAt ?? this.#began);
    this.#status = status;
    this.#rawHeaders = controller.rawHeaders;
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#done) return;
    this.#bytes += chunk.length;
    const room = LIMITS.RESPONSE_STORED_BYTES - this.#kept;
    if (room > 0) {
      // A copy: a slice would hold the whole read buffer for as long as the log entry lives.
      const part = Buffer.from(chunk.subarray(0, room));
      this.#chunks.push(part);
      this.#kept += part.length;
    }
    if (this.#bytes > LIMITS.RESPONSE_READ_BYTES)
      this.#end(null, `The response is longer than ${LIMITS.RESPONSE_READ_BYTES} bytes; no more of it was read.`);
  }

  onResponseEnd(): void {
    if (!this.#done) this.#settle(null, null, true);
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    if (this.#done) return;
    this.#connection ??= this.#parts.connector.connectionOf(error);
    const failure = failureOf(error);
    if (this.#status !== null) this.#settle(null, `The response broke off (${failure.code}).`, false);
    else this.#settle(failure, particulars(failure, error), false);
  }

  /** Ends it now, as at a shutdown. */
  stop(): void {
    if (this.#done) return;
    if (this.#status === null) this.#end({ word: "stopped", code: "STOPPED" });
    else this.#end(null, "This server was stopped before the response ended.");
  }

  /** In steps, so that a flood in a part of the response that has no bound of its own is noticed before the deadline. */
  #wait(left_ms: number): () => void {
    const step_ms = Math.min(left_ms, LIMITS.RESPONSE_RAW_CHECK_MS);
    return this.#parts.clock.after(step_ms, () => {
      if (step_ms >= left_ms) this.#expire();
      else if (this.#floods()) this.#endFlood();
      else this.#cancelTimer = this.#wait(left_ms - step_ms);
    });
  }

  #floods(): boolean {
    return this.#socket !== null && this.#socket.bytesRead - this.#bytesBefore > LIMITS.RESPONSE_RAW_BYTES;
  }

  #endFlood(): void {
    if (this.#status === null) this.#end({ word: "response_invalid", code: "ENDLESS" });
    else this.#end(null, `The response is longer than ${LIMITS.RESPONSE_RAW_BYTES} bytes; no more of it was read.`);
  }

  #expire(): void {
    if (this.#status === null) this.#end({ word: "timeout", code: this.#wroteAt === null ? "CONNECT" : "RESPONSE" });
    else this.#end(null, `The response was not finished after ${this.#deadline_ms} ms.`);
  }

  #end(failure: Failure | null, note: string | null = null): void {
    this.#settle(failure, note, false);
    this.#controller?.abort(ENOUGH);
  }

  #settle(failure: Failure | null, note: string | null, whole: boolean): void {
    this.#done = true;
    this.#cancelTimer();
    const status = failure === null ? this.#status : null;
    this.#parts.settled(this, {
      status,
      error: failure ?? statusFailure(status),
      note,
      timings: this.#timings(),
      address: this.#connection?.address ?? null,
      certificateUntil: this.#connection?.certificateUntil ?? null,
      response: status === null ? null : this.#response(whole),
      wrote: this.#wroteAt !== null,
    });
  }

  #timings(): Exchange["timings"] {
    const made = this.#reused ? undefined : this.#connection;
    return {
      dns: made?.dns ?? null,
      connect: made?.connect ?? null,
      tls: made?.tls ?? null,
      first_byte: this.#firstByte_ms,
      total: this.#parts.clock.monotonic() - this.#began,
      reused: this.#reused,
    };
  }

  #response(whole: boolean): ReceiverResponse {
    const body = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks, this.#kept);
    return { headers: pairs(this.#rawHeaders), body, bytes: this.#bytes, cut: !whole || this.#kept < this.#bytes };
  }
}

/** 2xx is success, nothing else. A redirect gets its own word, because following it would be a way past the policy. */
function statusFailure(status: number | null): Failure | null {
  if (status !== null && status >= 200 && status < 300) return null;
  const redirect = status !== null && status >= 300 && status < 400 && status !== 304;
  return { word: redirect ? "redirect_refused" : "status", code: String(status) };
}

/**
 * What the error says beyond its word: which name, which address and rule, which rule of HTTP. Only from faults whose
 * sentences are made for people; others' messages may hold paths and internals.
 */
function particulars({ word }: Failure, error: Error): string | null {
  if (error.name === "HTTPParserError") return error.message;
  return error instanceof NetFault && error.message !== ERROR_WORDS[word] ? error.message : null;
}

function pairs(raw: Dispatcher.DispatchController["rawHeaders"]): [string, string][] {
  const flat = (Array.isArray(raw) ? raw : []) as (Buffer | string)[];
  const headers: [string, string][] = [];
  for (let index = 0; index + 1 < flat.length; index += 2) headers.push([text(flat[index]!), text(flat[index + 1]!)]);
  return headers;
}

/** Header bytes have no encoding of their own; latin1 keeps each as it came. */
const text = (value: Buffer | string): string => (typeof value === "string" ? value : value.toString("latin1"));
