import { BlockList, isIP } from "node:net";

/** Parses a setting's value. @throws InvalidSetting */
export type Reader<Value> = (text: string) => Value;

/** The message completes a sentence that starts with the setting's name. */
export class InvalidSetting extends Error {}

export const text: Reader<string> = (value) => value;

export const integer =
  (least: number, most: number): Reader<number> =>
  (value) => {
    const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw new InvalidSetting(`must be a whole number from ${least} to ${most}, not "${value}"`);
  };

export const integers =
  (least: number, most: number, count: number): Reader<number[]> =>
  (value) => {
    const words = list(value);
    if (words.length > count) throw new InvalidSetting(`has ${words.length} numbers; the maximum is ${count}`);
    return words.map(integer(least, most));
  };

export const flag: Reader<boolean> = (value) => {
  const word = value.toLowerCase();
  if (["on", "true", "yes", "1"].includes(word)) return true;
  if (["off", "false", "no", "0"].includes(word)) return false;
  throw new InvalidSetting(`must be on or off, not "${value}"`);
};

export const oneOf =
  <Word extends string>(words: readonly Word[]): Reader<Word> =>
  (value) => {
    if ((words as readonly string[]).includes(value)) return value as Word;
    throw new InvalidSetting(`must be one of ${words.join(", ")}, not "${value}"`);
  };

export const someOf =
  <Word extends string>(words: readonly Word[]): Reader<Word[]> =>
  (value) =>
    list(value).map(oneOf(words));

/** A URL. Errors do not quote it, because it can contain a password. */
export const url =
  (...protocols: string[]): Reader<string> =>
  (value) => {
    // Checks only the scheme, because PostgreSQL accepts postgres://user@/name?host=/a/socket but `URL` does not.
    if (protocols.some((protocol) => value.startsWith(`${protocol}//`) && value.length > protocol.length + 2))
      return value;
    throw new InvalidSetting(
      `must be a URL that starts with ${protocols.map((protocol) => `${protocol}//`).join(" or ")}`,
    );
  };

/** A URL without a path, such as `https://host:port`. */
export const origin: Reader<string> = (value) => {
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol)) {
    throw new InvalidSetting(`must be a URL that starts with https:// or http://, not "${value}"`);
  }
  const parsed = new URL(value);
  if (parsed.username || parsed.password)
    throw new InvalidSetting("must not contain a user name or password, because every link would show it");
  if (parsed.pathname !== "/" || parsed.search || parsed.hash) {
    throw new InvalidSetting(`must not have a path, but is "${value}": Mave needs its own host name`);
  }
  return parsed.origin;
};

export const key =
  (bytes: number): Reader<Buffer> =>
  (value) => {
    const decoded = Buffer.from(value, "base64");
    const given = value.replace(/=+$/, "").replaceAll("-", "+").replaceAll("_", "/");
    if (decoded.toString("base64").replace(/=+$/, "") !== given) throw new InvalidSetting("must be base64");
    if (decoded.length !== bytes) throw new InvalidSetting(`must have ${bytes} bytes, not ${decoded.length}`);
    return decoded;
  };

/** A comma-separated list of keys. */
export const keys =
  (bytes: number): Reader<Buffer[]> =>
  (value) =>
    list(value).map(key(bytes));

export const secret =
  (least: number): Reader<string> =>
  (value) => {
    if (value.length >= least) return value;
    throw new InvalidSetting(`must have at least ${least} characters, not ${value.length}`);
  };

/** A comma-separated list of IP addresses, networks in CIDR notation, and `loopback`. */
export const networks: Reader<string[]> = (value) => {
  const words = list(value);
  for (const word of words) if (word !== "loopback" && !isNetwork(word)) throw notNetwork(word);
  return words;
};

/** `on` for one proxy, `off`, or a comma-separated list of proxy addresses and networks. */
export const proxies: Reader<boolean | string[]> = (value) => {
  if (/^(?:on|true|yes|1|off|false|no|0)$/i.test(value)) return flag(value);
  const words = list(value);
  for (const word of words) if (!isNetwork(word)) throw notNetwork(word);
  return words;
};

const notNetwork = (word: string): InvalidSetting =>
  new InvalidSetting(`contains "${word}", which is neither an IP address nor a network such as 10.1.0.0/16`);

function isNetwork(word: string): boolean {
  const [address = "", prefix, ...rest] = word.split("/");
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return false;
  if (prefix === undefined) return true;
  if (!/^\d{1,3}$/.test(prefix)) return false;
  try {
    new BlockList().addSubnet(address, Number(prefix), family === 4 ? "ipv4" : "ipv6");
    return true;
  } catch {
    return false; // the prefix is longer than an address
  }
}

function list(value: string): string[] {
  const words = value.split(",").map((word) => word.trim());
  if (words.includes("")) throw new InvalidSetting(`is "${value}", which contains an empty item`);
  return words;
}

/** Returns a suggestion for an unknown setting, usually the most similar known name. */
export function nearest(name: string, known: readonly string[]): string {
  const bare = name.replace(/^MAVE_/, ""); // some settings, such as PORT, have no MAVE_ prefix
  const gap = (candidate: string) => Math.min(distance(name, candidate), distance(bare, candidate));
  const ranked = known.map((candidate) => ({ candidate, distance: gap(candidate) }));
  const [best] = ranked.sort((a, b) => a.distance - b.distance);
  if (best === undefined || best.distance > 6) return "Remove it, or see docs/configuration.md for all settings.";
  return `Did you mean ${best.candidate}?`;
}

/** Levenshtein distance. */
function distance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const replaced = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[to.length]!;
}
