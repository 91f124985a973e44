import { Resolver as SystemResolver } from "node:dns";
import type { LookupFunction } from "node:net";
import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { AddressPolicy } from "./address-policy.ts";
import { NetworkError } from "./error-words.ts";
import { createMachineNames, type MachineNames } from "./machine-names.ts";
import { isLocalhost } from "./url-guards.ts";

export interface Address {
  address: string;
  family: 4 | 6;
}

export interface Resolver {
  /** Has the signature of `dns.lookup`. Fails if a name resolves to an address that the policy does not allow. */
  lookup: LookupFunction;
  /** Returns how long this name's addresses stay cached after a lookup, in ms; 0 if they are not cached. */
  ttl_ms(hostname: string): number;
  close(): void;
}

export interface ResolverParts {
  policy: AddressPolicy;
  clock: Clock;
  /** DNS servers as `address:port`. Default: the system's. */
  servers?: readonly string[] | undefined;
  /** Timeout for the first of two tries; the second try waits twice as long. */
  try_ms?: number | undefined;
  /** Default: those in the system's files. */
  machineNames?: MachineNames | undefined;
}

/** The cached result for a name. While the DNS servers are failing, its addresses remain usable until `staleUntil`. */
interface CacheEntry {
  addresses: Address[];
  error: NetworkError | null;
  ttl_ms: number;
  freshUntil: number;
  staleUntil: number;
  pending: Promise<CacheEntry> | null;
}

interface DnsRecord {
  address: string;
  ttl: number;
}

/**
 * Resolves names with c-ares, because `dns.lookup` uses a pool of four threads, where four hanging names would block
 * all others for 20 s. Results are cached for their TTL, concurrent lookups share one query, and the last good result
 * is used while the DNS servers are failing.
 */
export function createResolver(parts: ResolverParts): Resolver {
  const { policy, clock, servers, try_ms = LIMITS.DNS_QUERY_MS } = parts;
  const { machineNames = createMachineNames(clock) } = parts;
  const system = new SystemResolver({ timeout: try_ms, tries: 2 });
  if (servers !== undefined) system.setServers(servers);
  const names = new Map<string, CacheEntry>();

  async function resolve(name: string): Promise<CacheEntry> {
    const cached = names.get(name);
    if (cached?.pending) return cached.pending;
    if (cached !== undefined && clock.monotonic() < cached.freshUntil) return touch(names, name, cached);
    const entry = cached ?? { addresses: [], error: null, ttl_ms: 0, freshUntil: 0, staleUntil: 0, pending: null };
    entry.pending = queryAll(system, machineNames.candidates(name)).then((result) =>
      update(entry, result, clock.monotonic()),
    );
    touch(names, name, entry);
    return entry.pending;
  }

  return {
    lookup(hostname, options, callback) {
      addressesOf(hostname).then(
        (addresses) => {
          const first = addresses[0]!;
          if (options.all === true) callback(null, addresses);
          else callback(null, first.address, first.family);
        },
        (error: NetworkError) => callback(error, ""),
      );
    },
    ttl_ms: (hostname) => names.get(hostname.toLowerCase())?.ttl_ms ?? 0,
    close: () => system.cancel(),
  };

  async function addressesOf(hostname: string): Promise<Address[]> {
    if (isLocalhost(hostname)) return localAddresses(hostname, policy);
    const listed = machineNames.addressesOf(hostname);
    if (listed.length > 0) return checkAll(hostname, listed.map(addressOf), policy);
    const { addresses, error } = await resolve(hostname.toLowerCase());
    if (error !== null) throw error;
    return checkAll(hostname, addresses, policy);
  }
}

/** RFC 6761 defines the addresses of localhost. */
function localAddresses(hostname: string, policy: AddressPolicy): Address[] {
  const both: Address[] = [
    { address: "127.0.0.1", family: 4 },
    { address: "::1", family: 6 },
  ];
  const allowed = both.filter(({ address }) => policy.checkAddress(address).ok);
  return allowed.length > 0 ? allowed : checkAll(hostname, both, policy);
}

/**
 * A single disallowed address causes the whole name to be rejected, because rebinding attacks mix public and private
 * addresses.
 */
function checkAll(hostname: string, addresses: Address[], policy: AddressPolicy): Address[] {
  for (const { address } of addresses) {
    const check = policy.checkAddress(address, hostname);
    if (!check.ok) throw new NetworkError(check.word, "ADDRESS_BLOCKED", check.reason);
  }
  return addresses;
}

/**
 * Moves the name to the end of the map, which is ordered by last use, and evicts the least recently used name if there
 * are too many.
 */
function touch(names: Map<string, CacheEntry>, name: string, entry: CacheEntry): CacheEntry {
  names.delete(name);
  names.set(name, entry);
  if (names.size > LIMITS.DNS_CACHE_NAMES_MAX) names.delete(names.keys().next().value as string);
  return entry;
}

/** Queries these names in order until one exists. Every other failure is final, because it says nothing about the name. */
async function queryAll(system: SystemResolver, names: readonly string[]): Promise<DnsRecord[] | NetworkError> {
  let result: DnsRecord[] | NetworkError = new NetworkError("dns_failed", "ENOTFOUND");
  for (const name of names) {
    result = await query(system, name);
    if (Array.isArray(result) || isServerFailure(result)) return result;
  }
  return result;
}

/** Queries both address families concurrently. A result for either family is enough. */
async function query(system: SystemResolver, name: string): Promise<DnsRecord[] | NetworkError> {
  const [v4, v6] = await Promise.all([
    new Promise<DnsRecord[] | NetworkError>((done) => {
      system.resolve4(name, { ttl: true }, (error, records) => done(error ? dnsError(error, name) : records));
    }),
    new Promise<DnsRecord[] | NetworkError>((done) => {
      system.resolve6(name, { ttl: true }, (error, records) => done(error ? dnsError(error, name) : records));
    }),
  ]);
  const found = [v4, v6].flatMap((part) => (Array.isArray(part) ? part : []));
  if (found.length > 0) return found;
  const errors = [v4, v6].filter((part) => part instanceof NetworkError);
  return errors.find(isServerFailure) ?? errors[0] ?? new NetworkError("dns_failed", "ENODATA");
}

function dnsError({ code = "EUNKNOWN" }: NodeJS.ErrnoException, name: string): NetworkError {
  if (code === "ECANCELLED" || code === "EDESTRUCTION") return new NetworkError("stopped", code);
  if (code === "ETIMEOUT") return new NetworkError("dns_timeout", code, `No DNS server responded for ${name} in time.`);
  return new NetworkError("dns_failed", code, `${name} could not be resolved (${code}).`);
}

/**
 * Whether the DNS servers failed, in which case a stale result is better than none. ENOTFOUND and ENODATA are valid
 * results.
 */
const isServerFailure = ({ code }: NetworkError): boolean => code !== "ENOTFOUND" && code !== "ENODATA";

const addressOf = (address: string): Address => ({ address, family: address.includes(":") ? 6 : 4 });

function update(entry: CacheEntry, result: DnsRecord[] | NetworkError, now: number): CacheEntry {
  entry.pending = null;
  if (Array.isArray(result)) {
    const ttl_s = Math.min(...result.map(({ ttl }) => ttl));
    entry.ttl_ms = Math.min(Math.max(ttl_s * 1_000, LIMITS.DNS_CACHE_MIN_MS), LIMITS.DNS_CACHE_MAX_MS);
    entry.addresses = result.map(({ address }) => addressOf(address));
    entry.error = null;
    entry.freshUntil = now + entry.ttl_ms;
    entry.staleUntil = entry.freshUntil + LIMITS.DNS_STALE_MS;
    return entry;
  }
  if (!isServerFailure(result)) entry.addresses = [];
  const isUsable = entry.addresses.length > 0 && now < entry.staleUntil;
  entry.error = isUsable ? null : result;
  entry.freshUntil = now + LIMITS.DNS_FAILURE_CACHE_MS;
  return entry;
}
