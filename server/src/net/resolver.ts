import { Resolver as SystemResolver } from "node:dns";
import type { LookupFunction } from "node:net";
import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { AddressPolicy } from "./address-policy.ts";
import { NetFault } from "./error-words.ts";
import { isLocalhost } from "./url-guards.ts";

export interface Address {
  address: string;
  family: 4 | 6;
}

export interface Resolver {
  /** In the form of `dns.lookup`, for a socket. Every address has been judged; one bad one refuses the name. */
  lookup: LookupFunction;
  close(): void;
}

export interface ResolverParts {
  policy: AddressPolicy;
  clock: Clock;
  /** `address:port` of DNS servers instead of the system's. */
  servers?: readonly string[] | undefined;
  /** For each of two tries; the second waits twice as long. */
  try_ms?: number | undefined;
}

/** What is known of a name. `good` outlives `until`, for the time in which no DNS server can be reached. */
interface Known {
  addresses: Address[];
  fault: NetFault | null;
  until: number;
  goodUntil: number;
  asking: Promise<Known> | null;
}

interface Answer {
  address: string;
  ttl: number;
}

/**
 * Resolves names by c-ares, never by `dns.lookup`: that runs on a pool of four threads, where four hung names hold up all
 * others for 20 s. Answers are kept for their time to live, those who ask at once share one question, and the last good
 * response stands in while the DNS servers are in trouble.
 */
export function createResolver({ policy, clock, servers, try_ms = LIMITS.DNS_QUERY_MS }: ResolverParts): Resolver {
  const system = new SystemResolver({ timeout: try_ms, tries: 2 });
  if (servers !== undefined) system.setServers(servers);
  const names = new Map<string, Known>();

  async function resolve(name: string): Promise<Known> {
    const known = names.get(name);
    if (known?.asking) return known.asking;
    if (known !== undefined && clock.monotonic() < known.until) return touch(names, name, known);
    const entry = known ?? { addresses: [], fault: null, until: 0, goodUntil: 0, asking: null };
    entry.asking = ask(system, name).then((outcome) => learn(entry, outcome, clock.monotonic()));
    touch(names, name, entry);
    return entry.asking;
  }

  return {
    lookup(hostname, options, callback) {
      response(hostname).then(
        (addresses) => {
          const first = addresses[0]!;
          if (options.all === true) callback(null, addresses);
          else callback(null, first.address, first.family);
        },
        (fault: NetFault) => callback(fault, ""),
      );
    },
    close: () => system.cancel(),
  };

  async function response(hostname: string): Promise<Address[]> {
    if (isLocalhost(hostname)) return localAddresses(hostname, policy);
    const { addresses, fault } = await resolve(hostname.toLowerCase());
    if (fault !== null) throw fault;
    return judged(hostname, addresses, policy);
  }
}

/** Not by the hosts file, which c-ares does not read: the name's meaning is fixed (RFC 6761). */
function localAddresses(hostname: string, policy: AddressPolicy): Address[] {
  const both: Address[] = [
    { address: "127.0.0.1", family: 4 },
    { address: "::1", family: 6 },
  ];
  const open = both.filter(({ address }) => policy.checkAddress(address).ok);
  return open.length > 0 ? open : judged(hostname, both, policy);
}

/** Any bad response refuses the name: a public address beside a private one is how a rebinding attack begins. */
function judged(hostname: string, addresses: Address[], policy: AddressPolicy): Address[] {
  for (const { address } of addresses) {
    const verdict = policy.checkAddress(address, hostname);
    if (!verdict.ok) throw new NetFault(verdict.word, "ADDRESS_BLOCKED", verdict.reason);
  }
  return addresses;
}

/** The map's order is that of use; the name unused for longest goes first. */
function touch(names: Map<string, Known>, name: string, known: Known): Known {
  names.delete(name);
  names.set(name, known);
  if (names.size > LIMITS.DNS_CACHE_NAMES_MAX) names.delete(names.keys().next().value as string);
  return known;
}

/** Asks for both families at once; either one is enough. */
async function ask(system: SystemResolver, name: string): Promise<Answer[] | NetFault> {
  const [v4, v6] = await Promise.all([
    new Promise<Answer[] | NetFault>((done) => {
      system.resolve4(name, { ttl: true }, (error, records) => done(error ? dnsFault(error, name) : records));
    }),
    new Promise<Answer[] | NetFault>((done) => {
      system.resolve6(name, { ttl: true }, (error, records) => done(error ? dnsFault(error, name) : records));
    }),
  ]);
  const found = [v4, v6].flatMap((part) => (Array.isArray(part) ? part : []));
  if (found.length > 0) return found;
  const faults = [v4, v6].filter((part) => part instanceof NetFault);
  return faults.find((fault) => isTrouble(fault)) ?? faults[0] ?? new NetFault("dns_failed", "ENODATA");
}

function dnsFault({ code = "EUNKNOWN" }: NodeJS.ErrnoException, name: string): NetFault {
  if (code === "ECANCELLED" || code === "EDESTRUCTION") return new NetFault("stopped", code);
  if (code === "ETIMEOUT") return new NetFault("dns_timeout", code, `No DNS server answered for ${name} in time.`);
  return new NetFault("dns_failed", code, `${name} could not be resolved (${code}).`);
}

/** The servers are at fault, not the name: yesterday's response is better than none. */
const isTrouble = ({ code }: NetFault): boolean => code !== "ENOTFOUND" && code !== "ENODATA";

function learn(entry: Known, outcome: Answer[] | NetFault, now: number): Known {
  entry.asking = null;
  if (Array.isArray(outcome)) {
    const ttl_s = Math.min(...outcome.map(({ ttl }) => ttl));
    const kept_ms = Math.min(Math.max(ttl_s * 1_000, LIMITS.DNS_CACHE_MIN_MS), LIMITS.DNS_CACHE_MAX_MS);
    entry.addresses = outcome.map(({ address }) => ({ address, family: address.includes(":") ? 6 : 4 }));
    entry.fault = null;
    entry.until = now + kept_ms;
    entry.goodUntil = entry.until + LIMITS.DNS_STALE_MS;
    return entry;
  }
  if (!isTrouble(outcome)) entry.addresses = [];
  const standsIn = entry.addresses.length > 0 && now < entry.goodUntil;
  entry.fault = standsIn ? null : outcome;
  entry.until = now + LIMITS.DNS_FAILURE_CACHE_MS;
  return entry;
}
