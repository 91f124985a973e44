import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { assertLimits, LIMITS, type Limits } from "./limits.ts";

describe("the limits", () => {
  test("do not contradict each other", () => {
    expect(() => assertLimits()).not.toThrow();
  });

  test.each<[Partial<Limits>, RegExp]>([
    [{ DNS_QUERY_MS: 2_000 }, /both tries of a DNS query/],
    [{ CONNECT_ADDRESS_MS: 2_000 }, /three addresses/],
    [{ ATTEMPT_CONNECT_MS: 20_000 }, /ATTEMPT_TOTAL_MS must include/],
    [{ ATTEMPT_TOTAL_MS: 25_000, SHUTDOWN_MS: 60_000 }, /before the lease expires/],
    [{ LEASE_MARGIN_MS: 15_000 }, /before the lease expires/],
    [{ WAIT_IN_MEMORY_MS: 15_000 }, /before the lease expires/],
    [{ STATEMENT_MS: 40_000 }, /a statement must end before the leases/],
    [{ NOTICE_IDS_MAX: 300 }, /a notification must fit/],
    [{ TRANSACTION_IDLE_MS: 40_000 }, /a frozen process must lose its locks/],
    [{ REQUESTS_DRAIN_MS: 10_000 }, /before the shutdown does/],
    [{ RESPONSE_STORED_BYTES: 100_000 }, /no more of a response can be stored/],
    [{ WEBHOOK_IN_FLIGHT_START: 20 }, /slow start must begin below/],
    [{ PROCESSING_HEARTBEAT_MS: 30_000 }, /survive two missed heartbeats/],
    [{ WEBHOOK_WARNING_MS: 500_000_000 }, /the warning must come before/],
    [{ LIST_MAX: 5_000 }, /the first scan/],
    [{ LIST_DEFAULT: 200 }, /the default page size/],
  ])("would be rejected with %o", (changed, reason) => {
    expect(() => assertLimits({ ...LIMITS, ...changed })).toThrow(reason);
  });

  test("each have a comment that gives the reason", () => {
    const text = readFileSync(new URL("limits.ts", import.meta.url), "utf8");
    const bare = text.match(/^ {2}[A-Z][A-Z_]+: [\d_.]+,$/gm) ?? [];
    expect(bare, "Add a comment that says why the limit has this value.").toEqual([]);
  });
});
