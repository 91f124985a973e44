import { describe, expect, test } from "vitest";
import type { Attempt } from "../api/types.ts";
import { deliveryCount, diagnose, shortError, shortResult } from "./delivery-text.ts";

const plain = (text: string) => text.replaceAll("\u00a0", " ");

const attempt = (more: Partial<Attempt>): Attempt => ({
  object: "attempt",
  number: 1,
  started: 1_643_723_823,
  started_ms: 1_643_723_823_412,
  outcome: "retry",
  url: "https://api.northlight.example/webhooks",
  status: null,
  error: null,
  note: null,
  timings: { dns: 4, connect: 18, tls: 31, first_byte: 4_740, total: 4_810, reused: false },
  address: null,
  request: { headers: {}, body: "{}" },
  response: null,
  ...more,
});
const failed = (word: string) => diagnose(attempt({ error: { word, code: null, message: "expired" } }));

describe("the diagnosis of an attempt", () => {
  test("blames the receiver for a slow error response", () => {
    expect(plain(diagnose(attempt({ status: 503 })))).toBe(
      "The receiver responded with 503 Service Unavailable after 4.81 s. Only 53 ms of that was network time, so the problem is in the receiver.",
    );
  });
  test("does not blame the receiver for a slow network", () => {
    const timings = { dns: 900, connect: 900, tls: 100, first_byte: 10, total: 1_950, reused: false };
    expect(diagnose(attempt({ status: 500, timings }))).not.toContain("in the receiver");
  });
  test("points to the debugger after a 401", () => {
    expect(diagnose(attempt({ status: 401 }))).toContain("open the debugger");
  });
  test("names the host and the next step if there is no response", () => {
    expect(failed("dns_failed")).toBe("api.northlight.example does not exist. Check the URL.");
    expect(failed("connect_refused")).toBe("Nothing is listening on api.northlight.example:443.");
    expect(failed("tls_failed")).toMatch(/^The TLS handshake failed \(.+\)\.$/);
  });
  test("falls back to the server's message for an unknown error code", () => {
    expect(failed("a_new_word")).toBe("expired");
  });
  test("names the target of a redirect", () => {
    const response = {
      headers: [["Location", "https://b.example/"]],
      body: "",
      encoding: "utf8",
      bytes: 0,
      cut: false,
    };
    const error = { word: "redirect_refused", code: null, message: "" };
    expect(diagnose(attempt({ status: 302, error, response } as Partial<Attempt>))).toContain(
      "Change the URL to https://b.example/.",
    );
  });
});

test("a row shows the response status, or the error if there is no response, or a dash if there is neither", () => {
  expect(shortResult(503, null)).toBe("503 Service Unavailable");
  expect(shortResult(799, null)).toBe("799");
  expect(shortResult(null, "timeout")).toBe("No response in time");
  expect(shortResult(null, null)).toBe("–");
  expect(shortError("503")).toBe("503 Service Unavailable");
});

test("a delivery count can name the kind of delivery, such as pending", () => {
  expect(plain(deliveryCount(1_204))).toBe("1,204 deliveries");
  expect(plain(deliveryCount(1, "pending"))).toBe("1 pending delivery");
});
