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
  repeated: false,
  schedule_s: [100, 200],
  fraction: 0.5,
  now_ms: NOW_MS,
};

const answered = (status: number, retryAfter?: string): Exchange => ({
  ...nothing,
  status,
  error: status >= 200 && status < 300 ? null : { word: "status", code: `HTTP_${status}` },
  response: {
    headers: retryAfter === undefined ? [] : [["Retry-After", retryAfter]],
    body: Buffer.alloc(0),
    bytes: 0,
    cut: false,
  },
});
const failed = (word: NonNullable<Exchange["error"]>["word"], more: Partial<Exchange> = {}): Exchange => ({
  ...nothing,
  error: { word, code: word },
  ...more,
});
const judged = (exchange: Exchange, more: Partial<Circumstances> = {}) =>
  decide(exchange, { ...circumstances, ...more });

describe("an outcome", () => {
  test("is success for 2xx and for nothing else", () => {
    fc.assert(
      fc.property(fc.integer({ min: 200, max: 599 }), (status) => {
        expect(judged(answered(status)).result === "succeeded").toBe(status < 300);
      }),
    );
  });

  test("is success for a 2xx whose body broke off", () => {
    expect(judged({ ...answered(200), note: "The response was not finished." }).result).toBe("succeeded");
  });

  test("is a retry by the schedule, then failure", () => {
    expect(judged(answered(500))).toMatchObject({ result: "retry", step: 1, delay_ms: 100_000 });
    expect(judged(failed("timeout"), { step: 1 })).toMatchObject({ result: "retry", step: 2, delay_ms: 200_000 });
    expect(judged(answered(500), { step: 2 })).toMatchObject({ result: "failed" });
  });

  test("honours Retry-After of 429 and 503 between the schedule and a day", () => {
    const delay = (status: number, value: string) => judged(answered(status, value)).delay_ms;
    expect(delay(429, "150")).toBe(150_000);
    expect(delay(503, "Tue, 24 Nov 2026 00:05:00 GMT")).toBe(300_000);
    expect(delay(429, "5")).toBe(100_000); // not before the schedule
    expect(delay(429, "999999")).toBe(86_400_000); // nor after a day
    expect(delay(500, "150")).toBe(100_000); // of no other status
    for (const senseless of ["soon", "-5", "1e3", "", "2", "Tue, 24 Nov 1999 00:05:00 GMT"])
      expect(delay(429, senseless)).toBe(100_000);
  });

  test("repeats at once, once, what broke on a reused connection before it was answered", () => {
    const race = failed("connection_reset", { timings: { ...timings, reused: true } });
    expect(judged(race)).toMatchObject({ result: "retry", again: true, step: 0, delay_ms: 0 });
    expect(judged(race, { repeated: true })).toMatchObject({ result: "retry", again: false, step: 1 });
    expect(judged(failed("connection_reset"))).toMatchObject({ again: false });
    expect(judged({ ...race, timings: { ...race.timings, total: 1_500 } })).toMatchObject({ again: false });
  });

  test("tells that a receiver is gone by 410, and loses nothing by it", () => {
    expect(judged(answered(410))).toMatchObject({ gone: true, result: "retry" });
    expect(judged(answered(404))).toMatchObject({ gone: false });
  });

  test("asks for fewer attempts at once after timeouts and overload, not after plain errors", () => {
    for (const exchange of [failed("timeout"), failed("connect_refused"), answered(429), answered(503)])
      expect(judged(exchange).atEase).toBe(false);
    for (const exchange of [answered(200), answered(404), answered(500)]) expect(judged(exchange).atEase).toBe(true);
  });

  test("never goes back a step and never waits less than the schedule, whatever happened", () => {
    const exchange = fc.oneof(
      fc.tuple(fc.integer({ min: 200, max: 599 }), fc.string()).map(([status, value]) => answered(status, value)),
      fc
        .constantFrom("timeout", "dns_failed", "tls_failed", "connection_reset")
        .map((word) => failed(word as "timeout")),
    );
    fc.assert(
      fc.property(exchange, fc.nat(3), fc.boolean(), (made, step, repeated) => {
        const verdict = judged(made, { step, repeated });
        expect(verdict.step).toBeGreaterThanOrEqual(step);
        if (verdict.result === "retry" && !verdict.again)
          expect(verdict.delay_ms).toBeGreaterThanOrEqual(circumstances.schedule_s[step]! * 1_000);
        expect(verdict.delay_ms).toBeLessThanOrEqual(86_400_000);
      }),
    );
  });
});
