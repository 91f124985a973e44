import { describe, expect, test } from "vitest";
import type { Attempt } from "../api/types.ts";
import { shortResponse, shortWord, verdict } from "./attempt-text.ts";

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
const failed = (word: string) => verdict(attempt({ error: { word, code: null, message: "expired" } }));

describe("the verdict on an attempt", () => {
  test("an error response that came late is the receiver's", () => {
    expect(verdict(attempt({ status: 503 })).replaceAll("\u00a0", " ")).toBe(
      "The receiver was reached, but answered 503 Service Unavailable after 4.81 s. Only 53 ms of that was the network, so the cause is in the receiver.",
    );
  });
  test("a slow network is not called the receiver's fault", () => {
    const timings = { dns: 900, connect: 900, tls: 100, first_byte: 10, total: 1_950, reused: false };
    expect(verdict(attempt({ status: 500, timings }))).not.toContain("in the receiver");
  });
  test("401 points to the debugger", () => {
    expect(verdict(attempt({ status: 401 }))).toContain("Open the debugger");
  });
  test("each failure without a response names the host and the next step", () => {
    expect(failed("dns_failed")).toBe("api.northlight.example does not exist. Check the URL.");
    expect(failed("connect_refused")).toBe("Nothing listens on api.northlight.example:443.");
    expect(failed("tls_failed")).toBe("Certificate refused: expired");
  });
  test("a word that this dashboard does not know falls back to the server's sentence", () => {
    expect(failed("a_new_word")).toBe("expired");
  });
  test("a refused redirect says where it led", () => {
    const response = {
      headers: [["Location", "https://b.example/"]],
      body: "",
      encoding: "utf8",
      bytes: 0,
      cut: false,
    };
    const error = { word: "redirect_refused", code: null, message: "" };
    expect(verdict(attempt({ status: 302, error, response } as Partial<Attempt>))).toContain(
      "register https://b.example/.",
    );
  });
});

test("rows say the status, else the error in few words, else nothing", () => {
  expect(shortResponse(503, null)).toBe("503 Service Unavailable");
  expect(shortResponse(799, null)).toBe("799");
  expect(shortResponse(null, "timeout")).toBe("No response within 15 s");
  expect(shortResponse(null, null)).toBe("–");
  expect(shortWord("503")).toBe("503 Service Unavailable");
});
