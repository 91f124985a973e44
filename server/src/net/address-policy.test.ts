import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createAddressPolicy } from "./address-policy.ts";
import { DENIED_IPV4, DENIED_IPV6, type Range } from "./address-ranges.ts";
import { URL_GUARDS } from "./url-guards.ts";

const closed = { allowHttp: false, allowNetworks: [] };
const strict = createAddressPolicy(closed);

/** An independent oracle that represents addresses as plain numbers and has its own copy of the registries' ranges. */
const V4: [string, number][] = [
  ["0.0.0.0", 8],
  ["10.0.0.0", 8],
  ["100.64.0.0", 10],
  ["127.0.0.0", 8],
  ["169.254.0.0", 16],
  ["172.16.0.0", 12],
  ["192.0.0.0", 24],
  ["192.0.2.0", 24],
  ["192.31.196.0", 24],
  ["192.52.193.0", 24],
  ["192.88.99.0", 24],
  ["192.168.0.0", 16],
  ["192.175.48.0", 24],
  ["198.18.0.0", 15],
  ["198.51.100.0", 24],
  ["203.0.113.0", 24],
  ["224.0.0.0", 4],
  ["240.0.0.0", 4],
  ["168.63.129.16", 32],
];
const V6: [bigint, number][] = [
  [0x2001n << 112n, 23],
  [0x20010db8n << 96n, 32],
  [0x2002n << 112n, 16],
  [0x3ffen << 112n, 16],
  [0x3fffn << 112n, 20],
  [0x2620004f8000n << 80n, 48],
];

const v4Number = (text: string) => text.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
const v4Text = (value: number) => [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
const v6Text = (value: bigint) =>
  Array.from({ length: 8 }, (_, part) => ((value >> BigInt(112 - 16 * part)) & 0xffffn).toString(16)).join(":");
const publicV4 = (value: number) =>
  V4.every(([start, bits]) => {
    const size = 2 ** (32 - bits);
    return value < v4Number(start) || value >= v4Number(start) + size;
  });
const publicV6 = (value: bigint) =>
  value >> 125n === 1n && V6.every(([start, bits]) => value >> BigInt(128 - bits) !== start >> BigInt(128 - bits));

/** Random addresses, and addresses at and next to the boundaries of every range. */
const v4 = fc.oneof(
  fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  fc.tuple(fc.constantFrom(...V4), fc.integer({ min: -2, max: 2 }), fc.boolean()).map(([[start, bits], off, end]) => {
    const edge = v4Number(start) + (end ? 2 ** (32 - bits) : 0);
    return Math.min(Math.max(edge + off, 0), 2 ** 32 - 1);
  }),
);
const MAX_V6 = (1n << 128n) - 1n;
const v6 = fc.oneof(
  fc.bigInt({ min: 0n, max: MAX_V6 }),
  fc.bigInt({ min: 1n << 125n, max: (2n << 125n) - 1n }),
  fc
    .tuple(fc.constantFrom(...V6, [1n << 125n, 3] as [bigint, number]), fc.bigInt({ min: -2n, max: 2n }), fc.boolean())
    .map(([[start, bits], off, end]) => {
      const edge = start + (end ? 1n << BigInt(128 - bits) : 0n) + off;
      return edge < 0n ? 0n : edge > MAX_V6 ? MAX_V6 : edge;
    }),
);

describe("the check for public addresses", () => {
  test("agrees with a numeric oracle on IPv4", () => {
    fc.assert(
      fc.property(v4, (value) => strict.checkAddress(v4Text(value)).ok === publicV4(value)),
      { numRuns: 5_000 },
    );
  });

  test("agrees with a numeric oracle on IPv6", () => {
    fc.assert(
      fc.property(v6, (value) => strict.checkAddress(v6Text(value)).ok === publicV6(value)),
      { numRuns: 5_000 },
    );
  });

  test("gives the same result for an address in a URL regardless of its spelling", () => {
    fc.assert(
      fc.property(
        v4,
        fc.constantFrom("dotted", "decimal", "hex", "octal", "full-width", "percent"),
        (value, spelling) => {
          const expected = publicV4(value);
          const { ok } = strict.checkUrl(`https://${spellings[spelling](value)}/`);
          return ok === expected;
        },
      ),
      { numRuns: 2_000 },
    );
    fc.assert(fc.property(v6, (value) => strict.checkUrl(`https://[${v6Text(value)}]/`).ok === publicV6(value)));
  });

  test("rejects every IPv6 address that embeds an IPv4 address", () => {
    const inside = ["::ffff:", "::", "64:ff9b::", "64:ff9b:1::", "2002:", "::ffff:0:"];
    for (const prefix of inside) {
      const address = prefix === "2002:" ? "2002:0a00:0001::1" : `${prefix}10.0.0.1`;
      expect(strict.checkAddress(address), address).toMatchObject({ ok: false, word: "address_blocked" });
    }
  });

  test("rejects empty strings, names and addresses with a zone id", () => {
    for (const text of ["fe80::1%eth0", "2606:4700::1%lo", "example.com", "", "1.2.3", "0x7f000001"])
      expect(strict.checkAddress(text).ok, text).toBe(false);
  });
});

const spellings = {
  dotted: v4Text,
  decimal: String,
  hex: (value: number) => `0x${value.toString(16)}`,
  octal: (value: number) => `0${value.toString(8)}`,
  "full-width": (value: number) => v4Text(value).replace(/\d/g, (digit) => String.fromCharCode(0xff10 + Number(digit))),
  percent: (value: number) => v4Text(value).replace(/\d/g, (digit) => `%3${digit}`),
};

describe("every rule is necessary:", () => {
  const without = (list: readonly Range[], gone: Range) => list.filter((one) => one !== gone);

  test.each(DENIED_IPV4.map((one) => [`${one.network}/${one.prefix}`, one] as const))(
    "without %s, a private address is allowed",
    (_name, gone) => {
      const holed = createAddressPolicy(closed, { guards: [], ipv4: without(DENIED_IPV4, gone), ipv6: DENIED_IPV6 });
      const last = v4Text(v4Number(gone.network) + 2 ** (32 - gone.prefix) - 1);
      for (const address of [gone.network, last]) {
        expect(strict.checkAddress(address).ok, address).toBe(false);
        expect(holed.checkAddress(address).ok, address).toBe(true);
      }
    },
  );

  test.each(DENIED_IPV6.map((one) => [`${one.network}/${one.prefix}`, one] as const))(
    "without %s, a special-purpose address is allowed",
    (_name, gone) => {
      const holed = createAddressPolicy(closed, { guards: [], ipv4: DENIED_IPV4, ipv6: without(DENIED_IPV6, gone) });
      const address = gone.network.replace(/::$/, "::1");
      expect(strict.checkAddress(address).ok).toBe(false);
      expect(holed.checkAddress(address).ok).toBe(true);
    },
  );

  /** For each guard, URLs that no other guard rejects. */
  const OWN: Record<string, string[]> = {
    schemeGuard: ["http://example.com/", "ftp://example.com/", "gopher://example.com/", "ws://example.com/"],
    userinfoGuard: ["https://user@example.com/", "https://:pass@example.com/", "https://example.com@93.184.216.34/"],
    portGuard: ["https://example.com:0/", "https://example.com:25/", "https://example.com:6667/"],
    nameLengthGuard: [`https://${"a".repeat(64)}.com/`, `https://${"a.".repeat(130)}com/`],
    emptyLabelGuard: ["https://example..com/", "https://example.com../"],
    singleLabelGuard: ["https://unix/", "https://intranet-server/", "https://metadata./"],
    specialNameGuard: [
      "https://printer.local/",
      "https://metadata.google.internal/",
      "https://metadata.google.internal./",
      "https://a.localhost/",
      "https://x.ARPA/",
      "https://x.onion/",
      "https://router.home/",
      "https://x.lan/",
      "https://x.corp/",
      "https://x.private/",
      "https://x.localdomain/",
      "https://x.test/",
      "https://x.invalid/",
      "https://x.intranet/",
      "https://ｘ.ｌｏｃａｌ/",
    ],
  };

  test.each(URL_GUARDS.map((guard) => [guard.name, guard] as const))(
    "without %s, a bad URL is allowed",
    (name, gone) => {
      const rules = { guards: URL_GUARDS.filter((one) => one !== gone), ipv4: DENIED_IPV4, ipv6: DENIED_IPV6 };
      const holed = createAddressPolicy(closed, rules);
      expect(OWN[name]?.length).toBeGreaterThan(0);
      for (const url of OWN[name] ?? []) {
        expect(strict.checkUrl(url), url).toMatchObject({ ok: false, word: "url_refused" });
        expect(holed.checkUrl(url), url).toMatchObject({ ok: true });
      }
    },
  );
});

describe("the URL check", () => {
  test("allows https with a public host, a custom port, a path and a query", () => {
    for (const url of [
      "https://example.com/",
      "https://example.com:8443/hook?a=b#c",
      "https://93.184.216.34/",
      "https://[2606:4700:4700::1111]/",
      "https://bücher.example/",
      "HTTPS://EXAMPLE.COM",
    ])
      expect(strict.checkUrl(url), url).toMatchObject({ ok: true });
  });

  test("rejects text that is not a URL or is too long, with a full sentence as the reason", () => {
    for (const url of [
      "",
      "example.com",
      "/hook",
      "https://",
      "https://exa mple.com/",
      "https://[::1",
      `https://example.com/${"a".repeat(2_048)}`,
    ]) {
      const result = strict.checkUrl(url);
      expect(result, url).toMatchObject({ ok: false, word: "url_refused" });
      expect((result as { reason: string }).reason).toMatch(/^[A-Z].+\.$/);
    }
  });

  test("never throws, and allows only https URLs without user info", () => {
    const hosts = fc.oneof(
      fc.webUrl(),
      fc.string(),
      fc.string().map((text) => `https://${text}`),
    );
    fc.assert(
      fc.property(hosts, (text) => {
        const result = strict.checkUrl(text);
        if (!result.ok) return result.reason.length > 0;
        return result.url.protocol === "https:" && result.url.username === "" && result.url.password === "";
      }),
      { numRuns: 1_000 },
    );
  });

  test("explains a rejection with the host, the address, the rule and the setting that would allow it", () => {
    const result = strict.checkAddress("169.254.169.254", "metadata.example.com");
    expect(result).toMatchObject({
      reason: expect.stringMatching(
        /metadata\.example\.com.+169\.254\.169\.254.+169\.254\.0\.0\/16.+MAVE_ALLOW_NETWORKS/,
      ),
    });
  });
});

describe("an operator can allow", () => {
  test("plain http, without allowing anything else", () => {
    const policy = createAddressPolicy({ allowHttp: true, allowNetworks: [] });
    expect(policy.checkUrl("http://example.com/").ok).toBe(true);
    expect(policy.checkUrl("http://127.0.0.1/").ok).toBe(false);
    expect(policy.checkUrl("ftp://example.com/").ok).toBe(false);
  });

  test("loopback, without allowing other networks or names", () => {
    const policy = createAddressPolicy({ allowHttp: true, allowNetworks: ["loopback"] });
    for (const url of [
      "http://localhost:3000/",
      "http://127.0.0.1/",
      "http://127.9.9.9/",
      "http://[::1]/",
      "http://a.localhost/",
    ])
      expect(policy.checkUrl(url).ok, url).toBe(true);
    for (const url of ["http://10.0.0.1/", "http://printer.local/", "http://unix/", "http://[fc00::1]/"])
      expect(policy.checkUrl(url).ok, url).toBe(false);
  });

  test("a network, including non-public host names that may resolve to it", () => {
    const policy = createAddressPolicy({ allowHttp: false, allowNetworks: ["10.1.0.0/16", "fd00::/8", "192.168.1.7"] });
    for (const address of ["10.1.2.3", "fd12::1", "192.168.1.7"])
      expect(policy.checkAddress(address).ok, address).toBe(true);
    for (const address of ["10.2.0.1", "192.168.1.8", "127.0.0.1", "fc00::1"])
      expect(policy.checkAddress(address).ok, address).toBe(false);
    expect(policy.checkUrl("https://app.internal/").ok).toBe(true);
    expect(policy.checkUrl("https://localhost/").ok).toBe(false);
  });
});
