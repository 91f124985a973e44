import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Exchange } from "../net/exchange.ts";
import { type Circumstances, decide } from "./outcome.ts";

const NOW_MS = Date.parse("2026-11-24T00:00:00Z");
const timings = { dns: null, connect: null, tls: null, first_byte: null, total: 5, reused: false };
const nothing: Exchange = {
  ...{
    status: null,
    error: null,
    note: null,
    timings,
    address: null,
    certificateUntil: null,
    response: null,
    wrote: true,
  },
};
const circumstances: Circumstances = {
  step: 0,
  immediate: false,
  early_ms: null,
  schedule_s: [100, 200],
  fraction: 0.5,
  now_ms: NOW_MS,
};

const responded = (status: number, retryAfter?: string): Exchange => ({
  ...nothing,
  status,
  error: status >= 200 && status < 300 ? null : { word: "status", code: `HTTP_${status}` },
  response: {
    headers: retryAfter === undefined ? [] : [["Retry-After", retryAfter]],
    body: Buffer.alloc(0),
    bytes: 0,
  },
});
const failed = (word: NonNullable<Exchange["error"]>["word"], more: Partial<Exchange> = {}): Exchange => ({
  ...nothing,
  error: { word, code: word },
  ...more,
});
const decided = (exchange: Exchange, more: Partial<Circumstances> = {}) =>
  decide(exchange, { ...circumstances, ...more });

describe("an outcome", () => {
  test("is a success only for a 2xx status", () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 599 }), (status) => {
        expect(decided(responded(status)).result === "succeeded").toBe(status < 300);
      }),
    );
  });

  test("is a success for a 2xx with an incomplete body", () => {
    expect(decided({ ...responded(200), note: "The response was not finished." }).result).toBe("succeeded");
  });

  test("is a retry while the schedule has steps left, then a failure", () => {
    expect(decided(responded(500))).toMatchObject({ result: "retry", step: 1, delay_ms: 100_000 });
    expect(decided(failed("timeout"), { step: 1 })).toMatchObject({ result: "retry", step: 2, delay_ms: 200_000 });
    expect(decided(responded(500), { step: 2 })).toMatchObject({ result: "failed" });
  });

  test("respects Retry-After for a 429 or 503, but never retries sooner than scheduled or after more than an hour", () => {
    const delay = (status: number, value: string) => decided(responded(status, value)).delay_ms;
    expect(delay(429, "150")).toBe(150_000);
    expect(delay(503, "Tue, 24 Nov 2026 00:05:00 GMT")).toBe(300_000);
    expect(delay(429, "5")).toBe(100_000); // no sooner than the scheduled delay
    expect(delay(429, "999999")).toBe(3_600_000); // at most an hour
    expect(delay(500, "150")).toBe(100_000); // ignored for other statuses
    for (const invalid of ["soon", "-5", "1e3", "", "2", "Tue, 24 Nov 1999 00:05:00 GMT"])
      expect(delay(429, invalid)).toBe(100_000);
  });

  test("is an immediate retry, but only once, if a reused connection breaks before a response arrives", () => {
    const race = failed("connection_reset", { timings: { ...timings, reused: true } });
    expect(decided(race)).toMatchObject({ result: "retry", immediate: true, step: 0, delay_ms: 0 });
    expect(decided(race, { immediate: true })).toMatchObject({ result: "retry", immediate: false, step: 1 });
    expect(decided(failed("connection_reset"))).toMatchObject({ immediate: false });
    expect(decided({ ...race, timings: { ...race.timings, total: 1_500 } })).toMatchObject({ immediate: false });
  });

  test("is a retry without delay that uses no step, even after the last one, if this server shuts down", () => {
    for (const step of [0, 2])
      expect(decided(failed("stopped"), { step })).toMatchObject({
        result: "retry",
        immediate: false,
        step,
        delay_ms: 0,
      });
  });

  test("of an early attempt that fails is its scheduled retry, with the same step, even after the last one", () => {
    for (const step of [0, 2])
      expect(decided(responded(500), { step, early_ms: 70_000 })).toMatchObject({
        ...{ result: "retry", step, delay_ms: 70_000, rest_ms: 0 },
      });
    expect(decided(responded(429, "150"), { early_ms: 70_000 })).toMatchObject({ delay_ms: 150_000, rest_ms: 150_000 });
    expect(decided(responded(200), { early_ms: 70_000 })).toMatchObject({ result: "succeeded" });
  });

  test("reports a 410 as gone and still retries the delivery", () => {
    expect(decided(responded(410))).toMatchObject({ isGone: true, result: "retry" });
    expect(decided(responded(404))).toMatchObject({ isGone: false });
  });

  test("reports overload only for a 429, a 503 or a missing response", () => {
    for (const exchange of [failed("timeout"), failed("connect_refused"), responded(429), responded(503)])
      expect(decided(exchange).isOverloaded).toBe(true);
    for (const exchange of [responded(200), responded(404), responded(500)])
      expect(decided(exchange).isOverloaded).toBe(false);
  });

  test("never lowers the step, and never retries sooner than scheduled", () => {
    const exchange = fc.oneof(
      fc.tuple(fc.integer({ min: 200, max: 599 }), fc.string()).map(([status, value]) => responded(status, value)),
      fc
        .constantFrom("timeout", "dns_failed", "tls_failed", "connection_reset")
        .map((word) => failed(word as "timeout")),
    );
    fc.assert(
      fc.property(exchange, fc.nat(3), fc.boolean(), (made, step, immediate) => {
        const outcome = decided(made, { step, immediate });
        expect(outcome.step).toBeGreaterThanOrEqual(step);
        if (outcome.result === "retry" && !outcome.immediate)
          expect(outcome.delay_ms).toBeGreaterThanOrEqual(circumstances.schedule_s[step]! * 1_000);
        expect(outcome.delay_ms).toBeLessThanOrEqual(3_600_000);
      }),
    );
  });
});
