import { BlockList, isIP } from "node:net";

/** An IP network in CIDR notation. */
export interface Range {
  readonly network: string;
  readonly prefix: number;
  /** Describes the network in error messages. */
  readonly is: string;
}

const range = (cidr: string, is: string): Range => {
  const [network, prefix] = cidr.split("/");
  return { network: network!, prefix: Number(prefix), is };
};

/**
 * Every special-purpose IPv4 network in the IANA registry (RFC 6890 and updates), plus 168.63.129.16, a public address
 * at which Azure hosts serve their guest VMs. https://www.iana.org/assignments/iana-ipv4-special-registry
 */
export const DENIED_IPV4: readonly Range[] = [
  range("0.0.0.0/8", "this network"),
  range("10.0.0.0/8", "a private network"),
  range("100.64.0.0/10", "a carrier's shared network"),
  range("127.0.0.0/8", "this machine"),
  range("169.254.0.0/16", "link-local; clouds keep credentials there"),
  range("172.16.0.0/12", "a private network"),
  range("192.0.0.0/24", "for protocols"),
  range("192.0.2.0/24", "for documentation"),
  range("192.31.196.0/24", "AS112"),
  range("192.52.193.0/24", "AMT relays"),
  range("192.88.99.0/24", "6to4 relays"),
  range("192.168.0.0/16", "a private network"),
  range("192.175.48.0/24", "AS112"),
  range("198.18.0.0/15", "for benchmarks"),
  range("198.51.100.0/24", "for documentation"),
  range("203.0.113.0/24", "for documentation"),
  range("224.0.0.0/4", "multicast"),
  range("240.0.0.0/4", "reserved"),
  range("168.63.129.16/32", "a cloud host's own service"),
];

/**
 * The only IPv6 block that IANA has allocated for global unicast. Everything outside it is blocked, including loopback,
 * v4-mapped, v4-compatible, NAT64, unique-local, link-local and multicast addresses.
 */
export const GLOBAL_IPV6 = range("2000::/3", "global unicast");

/**
 * Special-purpose networks within the global unicast block. Teredo and 6to4 addresses embed an arbitrary IPv4 address.
 */
export const DENIED_IPV6: readonly Range[] = [
  range("2001::/23", "for protocols (Teredo, ORCHID)"),
  range("2001:db8::/32", "for documentation"),
  range("2002::/16", "6to4, which can reach any IPv4 address"),
  range("3ffe::/16", "the former 6bone"),
  range("3fff::/20", "for documentation"),
  range("2620:4f:8000::/48", "AS112"),
];

const LOOPBACK: readonly Range[] = [range("127.0.0.0/8", "this machine"), range("::1/128", "this machine")];

/** Parses the operator's allowed networks, each of which is a CIDR block, a single address or `loopback`. */
export function allowedRanges(networks: readonly string[]): Range[] {
  return networks.flatMap((network) => {
    if (network === "loopback") return LOOPBACK;
    return [range(network.includes("/") ? network : `${network}/${isIP(network) === 4 ? 32 : 128}`, "allowed")];
  });
}

/** Compiles ranges into a BlockList, which also applies IPv4 ranges to IPv4-mapped IPv6 addresses. */
export function rangeList(ranges: readonly Range[]): BlockList {
  const list = new BlockList();
  for (const { network, prefix } of ranges) list.addSubnet(network, prefix, isIP(network) === 4 ? "ipv4" : "ipv6");
  return list;
}
