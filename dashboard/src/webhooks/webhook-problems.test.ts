import { describe, expect, test } from "vitest";
import type { Delivery, Health, Webhook } from "../api/types.ts";
import { day } from "../format.ts";
import {
  backlogText,
  disableWarning,
  drainText,
  headline,
  problemOf,
  renewalAdvice,
  resumeText,
  timeLeft,
} from "./webhook-problems.ts";

const NOW = 1_795_478_479;
const plain = (text: string | undefined) => text?.replaceAll("\u00a0", " ");
const webhook = (more: Partial<Webhook>) =>
  ({
    status: "enabled",
    status_reason: null,
    status_since: NOW,
    failing_since: null,
    disables_at: null,
    waits_until: null,
    ordering: "video",
    ...more,
  }) as Webhook;
const monitored = (more: Partial<Webhook>, pending = 0, status: number | null = null) => ({
  webhook: webhook(more),
  health: { pending } as Health,
  last: (status === null ? undefined : { last_attempt: { status, error: null } }) as Delivery | undefined,
});

describe("the problem text for a webhook", () => {
  test("is empty for a healthy webhook", () => {
    expect(headline(monitored({}), NOW)).toBeUndefined();
  });
  test("says when attempts began to fail, and what the last response was", () => {
    const failing = monitored({ failing_since: NOW - 60, disables_at: NOW + 432_000 }, 312, 503);
    expect(headline(failing, NOW)).toMatch(
      /^Every attempt has failed since \d\d:\d\d\. Last response: 503 Service Unavailable\.$/,
    );
    expect(plain(backlogText(failing))).toBe("312 deliveries are pending");
    expect(disableWarning(failing, NOW)).toContain(
      "this webhook will be disabled and its deliveries held. Nothing is lost.",
    );
  });
  test("says until when the receiver asked to wait, on its own or beside the failures", () => {
    const waiting = monitored({ waits_until: NOW + 40 }, 3);
    expect(problemOf(waiting, NOW)).toBe("waiting");
    expect(headline(waiting, NOW)).toMatch(/^The receiver asked to wait until \d\d:\d\d\.$/);
    expect(problemOf(waiting, NOW + 41)).toBeUndefined();
    expect(headline(monitored({ failing_since: NOW - 60, waits_until: NOW + 40 }, 3, 429), NOW)).toMatch(
      /Last response: 429 Too Many Requests\. The receiver asked to wait until \d\d:\d\d\.$/,
    );
  });
  test("says why a webhook is disabled, and how many deliveries are held", () => {
    const disabled = monitored({ status: "disabled", status_reason: "The receiver responded with 410 Gone" }, 1);
    expect(headline(disabled, NOW)).toMatch(/^Disabled since \d\d:\d\d\. The receiver responded with 410 Gone\.$/);
    expect(plain(backlogText(disabled))).toBe(
      "1 delivery is held and will be sent when the webhook is resumed. Nothing is lost.",
    );
    expect(plain(backlogText({ ...disabled, health: { pending: 2 } as Health }))).toContain(
      "will be sent, in order per video, when",
    );
  });
});

describe("the certificate warning", () => {
  const DAY = 86_400;
  const expiring = (left: number, more: Partial<Webhook> = {}) => ({
    ...monitored(more),
    health: { pending: 0, certificate_until: NOW + left } as Health,
  });
  const headlineOf = (left: number) => headline(expiring(left), NOW);
  const expires = (left: number, text: string) =>
    `The receiver's TLS certificate expires in ${text}, on ${day(NOW + left)}.`;

  test("is not shown more than two weeks before the certificate expires, or if its expiry is unknown", () => {
    expect(headline(expiring(14 * DAY), NOW)).toBeUndefined();
    expect(problemOf(monitored({}), NOW)).toBeUndefined();
    expect(problemOf({ ...monitored({}), health: { certificate_until: null } as Health }, NOW)).toBeUndefined();
    expect(problemOf({ ...monitored({}), health: undefined }, NOW)).toBeUndefined();
  });
  test("gives the day, the time left, and advice if the certificate expires within two weeks", () => {
    expect(headlineOf(14 * DAY - 1)).toEqual(expires(14 * DAY - 1, "13\u00a0days"));
    expect(headlineOf(9 * DAY + 3_700)).toEqual(expires(9 * DAY + 3_700, "9\u00a0days"));
    expect(headlineOf(2 * DAY - 1)).toEqual(expires(2 * DAY - 1, "47\u00a0h"));
    expect(headlineOf(59 * 60 + 59)).toEqual(expires(59 * 60 + 59, "59\u00a0min"));
    expect([plain(timeLeft(NOW + 59, NOW)), timeLeft(NOW, NOW)]).toEqual(["59 s", ""]);
    expect(renewalAdvice(expiring(DAY), NOW)).toBe(
      "Renew it on the receiver. Once it has expired, attempts fail with “Certificate expired”.",
    );
  });
  test("says so if the certificate has expired", () => {
    expect(headlineOf(0)).toBe(`The receiver's TLS certificate expired on ${day(NOW)}.`);
    expect(renewalAdvice(expiring(-DAY), NOW)).toMatch(/^Renew it on the receiver\. Until you do, attempts fail/);
  });
  test("is not shown while the webhook has a more severe problem", () => {
    expect(problemOf(expiring(DAY), NOW)).toBe("certificate");
    expect(problemOf(expiring(DAY, { failing_since: NOW - 60 }), NOW)).toBe("failing");
    expect(problemOf(expiring(DAY, { status: "paused" }), NOW)).toBe("paused");
  });
});

describe("the resume dialog", () => {
  const unlimited = { rate_limit: null, ordering: "video" as const };
  const backlog = { pending: 1_204, oldest_pending: NOW - 60, drain_seconds: 25 };
  test("says how many deliveries will be sent, in what order, how fast, and how long this takes", () => {
    expect(plain(resumeText(backlog, { ...unlimited, rate_limit: 50 }, NOW))).toMatch(
      /^Resume and send 1,204 held deliveries\? They go out in order, at most 50 per second, before new events\. This takes about 25 s if every delivery succeeds\. The oldest event is from \d\d:\d\d\.$/,
    );
    expect(plain(resumeText({ ...backlog, drain_seconds: 170 }, unlimited, NOW))).toContain("takes about 3 min if");
  });
  test("gives no time estimate if the rate is unknown", () => {
    const one = { pending: 1, oldest_pending: null, drain_seconds: null };
    expect(plain(resumeText(one, { ...unlimited, ordering: "none" }, NOW))).toBe(
      "Resume and send 1 held delivery? It goes out as fast as the receiver accepts it, before new events.",
    );
    expect(resumeText({ ...one, pending: 0 }, unlimited, NOW)).toContain("No deliveries are held");
  });
});

test("a draining backlog shows the time left if it is more than a few seconds", () => {
  const backlog = { pending: 1_204, oldest_pending: NOW - 60, drain_seconds: 25 };
  expect(plain(drainText({ ...backlog, drain_seconds: 170 }))).toBe("about 3 min left");
  expect(drainText({ ...backlog, drain_seconds: 3 })).toBeUndefined();
  expect(drainText({ ...backlog, drain_seconds: null })).toBeUndefined();
});
