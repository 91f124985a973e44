/**
 * A position in a trace, as `traceparent` of W3C Trace Context writes it
 * (https://www.w3.org/TR/trace-context/#traceparent-header), so that an event's row can store it.
 */
export type TraceParent = string;

export interface NewSpan {
  name: string;
  kind: "server" | "producer" | "client";
  /** Without one the span starts a new trace. */
  traceparent?: TraceParent | null | undefined;
  /** Unix milliseconds, as `ended_ms`. */
  begun_ms: number;
  attributes: Record<string, string | number | boolean | undefined>;
}

export interface OpenSpan {
  readonly traceparent: TraceParent;
  readonly over: boolean;
  end(ended_ms: number, attributes?: NewSpan["attributes"], failed?: boolean): void;
}

/** What the rest of the server knows of tracing; `ops/tracing.ts` implements it, and is loaded only if it is configured. */
export interface Tracing {
  begin(span: NewSpan): OpenSpan;
  /** Runs `work`, and whatever it starts asynchronously, inside `span` until that span ends. */
  within(span: OpenSpan, work: () => void): void;
  /**
   * The span that the current code runs in; null if there is none, or if it has ended. A loop that a request woke keeps
   * that request's async context forever, and what it does later must not appear under that request.
   */
  traceparent(): TraceParent | null;
  /** Sends the remaining spans, within SPANS_FLUSH_MS. */
  close(): Promise<void>;
}
