import { readFileSync, statSync } from "node:fs";
import { isIP } from "node:net";
import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";

/**
 * The names that this machine resolves without DNS, and how it completes short names. c-ares, which sends the DNS
 * queries, ignores both, but containers rely on them: for `extra_hosts`, `host.docker.internal`, `hostAliases` and the
 * names of services in the same network or cluster.
 */
export interface MachineNames {
  /** Returns the addresses that the hosts file gives this name. */
  addressesOf(name: string): string[];
  /** Returns the full names to query for this name, in order. The first one that exists is the result. */
  candidates(name: string): string[];
}

export function createMachineNames(
  clock: Pick<Clock, "monotonic">,
  { hosts = "/etc/hosts", resolver = "/etc/resolv.conf" } = {},
): MachineNames {
  const search = searchList(readOrEmpty(resolver));
  let names = new Map<string, string[]>();
  let version = "";
  let checked_ms = Number.NEGATIVE_INFINITY;

  function refresh(): void {
    if (clock.monotonic() - checked_ms < LIMITS.HOSTS_FILE_CHECK_MS) return;
    checked_ms = clock.monotonic();
    const current = versionOf(hosts);
    if (current !== version) names = parseHosts(readOrEmpty(hosts));
    version = current;
  }

  return {
    addressesOf(name) {
      refresh();
      return names.get(bare(name)) ?? [];
    },
    candidates(name) {
      const [own, isComplete] = [bare(name), name.endsWith(".")];
      if (isComplete) return [own];
      const completed = search.map((domain) => `${own}.${domain}`);
      // A name with a dot is most likely complete, whatever `ndots` says; so it usually takes a single query.
      return own.includes(".") ? [own, ...completed] : [...completed, own];
    },
  };
}

const bare = (name: string): string => name.replace(/\.$/, "").toLowerCase();

/** Parses a hosts file: an address and its names on each line. */
export function parseHosts(text: string): Map<string, string[]> {
  const names = new Map<string, string[]>();
  for (const line of text.split("\n")) {
    const [address = "", ...aliases] = line.replace(/#.*/, "").trim().split(/\s+/);
    if (isIP(address) === 0) continue;
    for (const alias of aliases) names.set(bare(alias), [...(names.get(bare(alias)) ?? []), address]);
  }
  return names;
}

/** Returns the domains in the last `search` or `domain` line of a resolv.conf file (resolv.conf(5)). */
export function searchList(text: string): string[] {
  const lines = [...text.matchAll(/^\s*(?:search|domain)\s+(.+)$/gm)];
  const domains = lines.at(-1)?.[1]?.trim().split(/\s+/) ?? [];
  return domains.map(bare).filter((domain) => domain !== "");
}

function readOrEmpty(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return ""; // the machine has no such file
  }
}

function versionOf(file: string): string {
  const found = statSync(file, { throwIfNoEntry: false });
  return found === undefined ? "" : `${found.mtimeMs} ${found.size} ${found.ino}`;
}
