import { describe, expect, test } from "vitest";
import type { Delivery, Health, Webhook } from "../api/types.ts";
import { headline, held, leftOf, leftWords, matter, prediction, renewal, resumeWords } from "./webhook-problems.ts";

const NOW = 1_795_478_479;
const plain = (text: string | undefined) => text?.replaceAll("\u00a0", " ");
const webhook = (more: Partial<Webhook>) =>
  ({
    status: "enabled",
    status_reason: null,
    status_since: NOW,
    failing_since: null,
    disables_at: null,
    ordering: "video",
    ...more,
  }) as Webhook;
const known = (more: Partial<Webhook>, pending = 0, status: number | null = null) => ({
  webhook: webhook(more),
  health: { pending } as Health,
  last: (status === null ? undefined : { last_attempt: { status, error: null } }) as Delivery | undefined,
});

describe("a webhook's trouble", () => {
  test("is nothing while all is well", () => {
    expect(headline(known({}), NOW)).toBeUndefined();
  });
  test("says since when every attempt failed, and with what", () => {
    const failing = known({ failing_since: NOW - 60, disables_at: NOW + 432_000 }, 312, 503);
    expect(headline(failing, NOW)).toMatch(
      /^Every attempt has failed since \d\d:\d\d\. Last response: 503 Service Unavailable\.$/,
    );
    expect(plain(held(failing))).toBe("312 deliveries are open");
    expect(prediction(failing, NOW)).toContain("the webhook is disabled and its deliveries are held. Nothing is lost.");
  });
  test("says why it is disabled, and what is held", () => {
    const disabled = known({ status: "disabled", status_reason: "The receiver answered 410 Gone" }, 1);
    expect(headline(disabled, NOW)).toMatch(/^Disabled since \d\d:\d\d\. The receiver answered 410 Gone\.$/);
    expect(plain(held(disabled))).toBe("1 delivery is held and will be sent on resume. Nothing is lost.");
    expect(plain(held({ ...disabled, health: { pending: 2 } as Health }))).toContain(
      "on resume, each video's in order.",
    );
  });
});

describe("a certificate", () => {
  const DAY = 86_400;
  const until = (left: number, more: Partial<Webhook> = {}) => ({
    ...known(more),
    health: { pending: 0, certificate_until: NOW + left } as Health,
  });
  const said = (left: number) => plain(headline(until(left), NOW));
  const ends = (left: string) =>
    expect.stringMatching(new RegExp(`^Its certificate ends in ${left}, on \\d{1,2} [A-Z][a-z]+ \\d{4}\\.$`));

  test("is not spoken of for more than two weeks before its end, nor where none was seen", () => {
    expect(headline(until(14 * DAY), NOW)).toBeUndefined();
    expect(matter(known({}), NOW)).toBeUndefined();
    expect(matter({ ...known({}), health: { certificate_until: null } as Health }, NOW)).toBeUndefined();
    expect(matter({ ...known({}), health: undefined }, NOW)).toBeUndefined();
  });
  test("that ends within two weeks is said, with the day, the time that is left and what to do", () => {
    expect(said(14 * DAY - 1)).toEqual(ends("13 days"));
    expect(said(9 * DAY + 3_700)).toEqual(ends("9 days"));
    expect(said(2 * DAY - 1)).toEqual(ends("47 h"));
    expect(said(59 * 60 + 59)).toEqual(ends("59 min"));
    expect([plain(leftOf(NOW + 59, NOW)), leftOf(NOW, NOW)]).toEqual(["59 s", ""]);
    expect(renewal(until(DAY), NOW)).toBe(
      "Renew it where the receiver runs; after that day attempts fail with “Certificate refused”.",
    );
  });
  test("that has ended is said as such", () => {
    expect(said(0)).toMatch(/^The certificate that was seen last ended on \d{1,2} [A-Z][a-z]+ \d{4}\.$/);
    expect(renewal(until(-DAY), NOW)).toMatch(/^Renew it where the receiver runs: until then attempts fail/);
  });
  test("is not spoken of while something worse is", () => {
    expect(matter(until(DAY), NOW)).toBe("certificate");
    expect(matter(until(DAY, { failing_since: NOW - 60 }), NOW)).toBe("failing");
    expect(matter(until(DAY, { status: "paused" }), NOW)).toBe("paused");
  });
});

describe("resuming", () => {
  const free = { rate_limit: null, ordering: "video" as const };
  const backlog = { pending: 1_204, oldest_pending: NOW - 60, drain_seconds: 25 };
  test("says how many, since when, in which order and how long at the webhook's rate", () => {
    expect(plain(resumeWords(backlog, { ...free, rate_limit: 50 }, NOW))).toMatch(
      /^Send 1,204 deliveries that are held; the oldest happened \d\d:\d\d\? At most 50 per second: about 25 s if each succeeds\. Those due longest go first, new events after them; each video's stay in order\.$/,
    );
    expect(plain(resumeWords({ ...backlog, drain_seconds: 170 }, free, NOW))).toContain("about 3 min if each succeeds");
  });
  test("promises no time where nothing tells it", () => {
    const one = { pending: 1, oldest_pending: null, drain_seconds: null };
    expect(plain(resumeWords(one, { ...free, ordering: "none" }, NOW))).toBe(
      "Send 1 delivery that is held? As fast as the receiver answers. Those due longest go first, new events after them.",
    );
    expect(resumeWords({ ...one, pending: 0 }, free, NOW)).toContain("No deliveries are held");
  });
  test("says while it drains how long that goes on", () => {
    expect(plain(leftWords({ ...backlog, drain_seconds: 170 }))).toBe("about 3 min left");
    expect(leftWords({ ...backlog, drain_seconds: 3 })).toBeUndefined();
    expect(leftWords({ ...backlog, drain_seconds: null })).toBeUndefined();
  });
});
