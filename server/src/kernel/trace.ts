/**
 * A position in a trace, in the W3C Trace Context `traceparent` format
 * (https://www.w3.org/TR/trace-context/#traceparent-header), so that an event's row can store it.
 */
export type TraceParent = string;

export interface NewSpan {
  name: string;
  kind: "server" | "producer" | "client";
  /** If absent, the span starts a new trace. */
  traceparent?: TraceParent | null | undefined;
  /** Unix milliseconds, like `ended_ms`. */
  begun_ms: number;
  attributes: Record<string, string | number | boolean | undefined>;
}

export interface OpenSpan {
  readonly traceparent: TraceParent;
  readonly over: boolean;
  end(ended_ms: number, attributes?: NewSpan["attributes"], failed?: boolean): void;
}

/**
 * Tracing, as the rest of the server sees it. `ops/tracing.ts` implements it and is loaded only if tracing is
 * configured.
 */
export interface Tracing {
  begin(span: NewSpan): OpenSpan;
  /** Runs `work`, including any asynchronous work it starts, inside `span` until that span ends. */
  within(span: OpenSpan, work: () => void): void;
  /**
   * Returns the span that the current code runs in, or null if there is none or it has ended. A loop woken by a request
   * keeps that request's async context forever, but the loop's later work must not appear under that request.
   */
  traceparent(): TraceParent | null;
  /** Sends the remaining spans, within SPANS_FLUSH_MS. */
  close(): Promise<void>;
}
