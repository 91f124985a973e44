import { describe, expect, test } from "vitest";
import { phasesOf, summary } from "./phases.ts";

const plain = (text: string) => text.replaceAll("\u00a0", " ");
const full = { dns: 4, connect: 18, tls: 31, first_byte: 4_740, total: 4_805, reused: false };

describe("the phases of an attempt", () => {
  test("are consecutive and add up to the total", () => {
    const phases = phasesOf(full);
    expect(phases.map(({ ms }) => ms)).toEqual([4, 18, 31, 4_740, 12]);
    expect(phases.map(({ from }) => from)).toEqual([0, 4, 22, 53, 4_793]);
  });
  test("count the wait under First byte if no response byte arrives", () => {
    const phases = phasesOf({ ...full, first_byte: null, total: 15_000 });
    expect(phases[3]?.ms).toBe(15_000 - 53);
  });
  test("count all time after the DNS lookup under Connect if no connection is made", () => {
    const phases = phasesOf({ dns: 4, connect: null, tls: null, first_byte: null, total: 5_000, reused: false });
    expect(phases[1]?.ms).toBe(4_996);
    expect(phases[3]?.ms).toBe(0);
  });
  test("count all time under First byte if the receiver is silent on a reused connection", () => {
    const silent = { dns: null, connect: null, tls: null, first_byte: null, total: 15_000, reused: true };
    expect(phasesOf(silent)[3]?.ms).toBe(15_000);
  });
  test("are summarized on one line", () => {
    expect(plain(summary(full))).toBe("Network 53 ms, receiver 4.74 s, body 12 ms");
    expect(plain(summary({ dns: null, connect: null, tls: null, first_byte: 80, total: 80, reused: true }))).toBe(
      "Connection reused, receiver 80 ms",
    );
  });
});
