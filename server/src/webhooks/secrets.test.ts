import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { systemRandom } from "../kernel/random.ts";
import { createVault, newSecret, secretFault } from "./secrets.ts";

const [first, second] = [Buffer.alloc(32, 1), Buffer.alloc(32, 2)];
const vault = createVault([first], systemRandom);

describe("the vault", () => {
  test("opens the values it sealed and seals the same text differently each time", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.uuid(), (text, owner) => {
        const sealed = vault.seal(text, owner);
        expect(vault.open(sealed, owner)).toBe(text);
        expect(sealed.equals(vault.seal(text, owner))).toBe(false);
        if (text.length > 3) expect(sealed.includes(text)).toBe(false);
      }),
    );
  });

  test("rejects a value that was altered or that belongs to another webhook", () => {
    const sealed = vault.seal("secret", "a");
    expect(() => vault.open(sealed, "b")).toThrow(/^Cannot decrypt .+ altered or belongs elsewhere\.$/);
    for (let index = 0; index < sealed.length; index++) {
      const altered = Buffer.from(sealed);
      altered[index]! ^= 1;
      expect(() => vault.open(altered, "a")).toThrow();
    }
  });

  test("seals with its first key, opens values with any key, and reports which values the first key sealed", () => {
    const both = createVault([second, first], systemRandom);
    const old = vault.seal("secret", "a");
    expect(both.open(old, "a")).toBe("secret");
    expect(both.current(old)).toBe(false);
    expect(both.current(both.seal("secret", "a"))).toBe(true);
    expect(() => createVault([second], systemRandom).open(old, "a")).toThrow(/MAVE_SECRETS_KEY/);
  });
});

describe("a secret", () => {
  test("consists of whsec_ and 32 base64 characters without padding", () => {
    expect(newSecret(systemRandom)).toMatch(/^whsec_[A-Za-z0-9+/]{32}$/);
    expect(secretFault(newSecret(systemRandom))).toBeNull();
  });

  test("provided by the caller must decode to 24 to 64 bytes", () => {
    const own = (bytes: number) => secretFault(`whsec_${Buffer.alloc(bytes, 5).toString("base64")}`);
    expect([23, 24, 64, 65].map((bytes) => own(bytes) === null)).toEqual([false, true, true, false]);
    for (const bad of [
      "",
      "secret",
      "whsec_",
      `whsec_ ${Buffer.alloc(24).toString("base64")}`,
      `whsec_${"A".repeat(33)}`,
    ])
      expect(secretFault(bad)).not.toBeNull();
  });
});
