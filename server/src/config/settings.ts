import { BlockList, isIP } from "node:net";

/** Reads the text of a setting, or throws a Fault. */
export type Reader<Value> = (text: string) => Value;

/** What is wrong with a setting's text: the rest of a sentence that begins with the setting's name. */
export class Fault extends Error {}

export const text: Reader<string> = (value) => value;

export const integer =
  (least: number, most: number): Reader<number> =>
  (value) => {
    const number = /^\d+$/.test(value) ? Number(value) : Number.NaN;
    if (number >= least && number <= most) return number;
    throw new Fault(`is "${value}", which is not a whole number from ${least} to ${most}`);
  };

export const integers =
  (least: number, most: number, count: number): Reader<number[]> =>
  (value) => {
    const words = list(value);
    if (words.length > count) throw new Fault(`has ${words.length} numbers; ${count} are the most`);
    return words.map(integer(least, most));
  };

export const flag: Reader<boolean> = (value) => {
  const word = value.toLowerCase();
  if (["on", "true", "yes", "1"].includes(word)) return true;
  if (["off", "false", "no", "0"].includes(word)) return false;
  throw new Fault(`is "${value}", which is neither on nor off`);
};

export const oneOf =
  <Word extends string>(words: readonly Word[]): Reader<Word> =>
  (value) => {
    if ((words as readonly string[]).includes(value)) return value as Word;
    throw new Fault(`is "${value}", which is none of ${words.join(", ")}`);
  };

export const someOf =
  <Word extends string>(words: readonly Word[]): Reader<Word[]> =>
  (value) =>
    list(value).map(oneOf(words));

/** A URL whose value may hold a password, and is therefore never repeated. */
export const url =
  (...protocols: string[]): Reader<string> =>
  (value) => {
    // Only its beginning: postgres://user@/name?host=/a/socket is one for PostgreSQL, and none for URL.
    if (protocols.some((protocol) => value.startsWith(`${protocol}//`) && value.length > protocol.length + 2))
      return value;
    throw new Fault(`is not a URL that begins with ${protocols.map((protocol) => `${protocol}//`).join(" or ")}`);
  };

/** `https://host[:port]`, nothing behind it; without the slash. */
export const origin: Reader<string> = (value) => {
  if (!URL.canParse(value) || !/^https?:$/.test(new URL(value).protocol)) {
    throw new Fault(`is "${value}", which is not a URL that begins with https:// or http://`);
  }
  const parsed = new URL(value);
  if (parsed.username || parsed.password) throw new Fault("holds a user name or password, which every link would show");
  if (parsed.pathname !== "/" || parsed.search || parsed.hash) {
    throw new Fault(`is "${value}": Mave needs a host name of its own, without a path`);
  }
  return parsed.origin;
};

export const key =
  (bytes: number): Reader<Buffer> =>
  (value) => {
    const decoded = Buffer.from(value, "base64");
    const given = value.replace(/=+$/, "").replaceAll("-", "+").replaceAll("_", "/");
    if (decoded.toString("base64").replace(/=+$/, "") !== given) throw new Fault("is not base64");
    if (decoded.length !== bytes) throw new Fault(`holds ${decoded.length} bytes; ${bytes} are needed`);
    return decoded;
  };

/** Several of them, commas between; the first is the one in use. */
export const keys =
  (bytes: number): Reader<Buffer[]> =>
  (value) =>
    list(value).map(key(bytes));

export const secret =
  (least: number): Reader<string> =>
  (value) => {
    if (value.length >= least) return value;
    throw new Fault(`has ${value.length} characters; fewer than ${least} can be guessed`);
  };

/** Networks in CIDR form, single addresses, and the word `loopback`. */
export const networks: Reader<string[]> = (value) => {
  const words = list(value);
  for (const word of words) if (word !== "loopback" && !isNetwork(word)) throw notNetwork(word);
  return words;
};

/** `on`, `off`, or the addresses of the proxies. */
export const proxies: Reader<boolean | string[]> = (value) => {
  if (/^(?:on|true|yes|1|off|false|no|0)$/i.test(value)) return flag(value);
  const words = list(value);
  for (const word of words) if (!isNetwork(word)) throw notNetwork(word);
  return words;
};

/** A setting whose name is kept for a later version. */
export const notYet =
  (instead: string): Reader<never> =>
  () => {
    throw new Fault(`is not supported by this version yet: ${instead}`);
  };

const notNetwork = (word: string): Fault =>
  new Fault(`names "${word}", which is neither an address nor a network such as 10.1.0.0/16`);

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
    return false; // the prefix is longer than the address
  }
}

function list(value: string): string[] {
  const words = value.split(",").map((word) => word.trim());
  if (words.includes("")) throw new Fault(`is "${value}", which has an empty place in its list`);
  return words;
}

/** The known name that a mistyped one probably means. */
export function nearest(name: string, known: readonly string[]): string {
  const bare = name.replace(/^MAVE_/, ""); // PORT and its like have no prefix
  const gap = (candidate: string) => Math.min(distance(name, candidate), distance(bare, candidate));
  const ranked = known.map((candidate) => ({ candidate, distance: gap(candidate) }));
  const [best] = ranked.sort((a, b) => a.distance - b.distance);
  if (best === undefined || best.distance > 6) return "Remove it, or look its name up in docs/configuration.md";
  return `Perhaps ${best.candidate} is meant`;
}

/** Levenshtein's: how many characters must be put in, taken out or replaced. */
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
