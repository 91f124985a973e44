import { describe, expect, test } from "vitest";
import { decideRetry, type UploadError } from "./upload-error.ts";

const response = (status: number, more: { detail?: string; retryAfter_s?: number } = {}): UploadError => ({
  kind: "response",
  status,
  detail: null,
  retryAfter_s: null,
  ...more,
});

describe("a failed upload", () => {
  test("is retried if the cause is temporary, and otherwise shows a reason", () => {
    const decide = (error: UploadError) => {
      const { retry, reason } = decideRetry(error, 1);
      return [retry, reason];
    };
    expect(decide(response(507))).toEqual([true, "The server's disk is full."]);
    expect(decide(response(502))).toEqual([true, "The server responded with 502."]);
    expect(decide(response(404))).toEqual([false, "The video was deleted."]);
    expect(decide(response(413, { detail: "At most 20 GB." }))).toEqual([false, "At most 20 GB."]);
    expect(decide({ kind: "signed out" })).toEqual([
      false,
      "You are signed out. Sign in, then retry; progress is kept.",
    ]);
  });

  test("waits at least as long as Retry-After requires, and at least a minute if the server's disk is full", () => {
    expect(decideRetry(response(429, { retryAfter_s: 40 }), 1)).toMatchObject({ delay_ms: 40_000 });
    expect(decideRetry(response(507), 1)).toMatchObject({ delay_ms: 60_000 });
  });

  test("waits twice as long after each failure, up to a minute", () => {
    const delays = [1, 2, 3, 6, 7, 50].map((failures) => decideRetry({ kind: "offline" }, failures));
    expect(delays).toMatchObject([1_000, 2_000, 4_000, 32_000, 60_000, 60_000].map((delay_ms) => ({ delay_ms })));
  });

  test("is retried immediately if its token expired, and with backoff if the new token is also rejected", () => {
    expect(decideRetry({ kind: "token expired" }, 1)).toMatchObject({ retry: true, delay_ms: 0 });
    expect(decideRetry({ kind: "token expired" }, 2)).toMatchObject({ retry: true, delay_ms: 2_000 });
  });
});
