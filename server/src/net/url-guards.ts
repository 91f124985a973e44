/** What the operator allows in addition to https requests to the public internet. */
export interface PolicyOptions {
  /** Whether plain http is allowed. */
  allowHttp: boolean;
  /** CIDR blocks, single addresses or `loopback`. */
  allowNetworks: readonly string[];
}

/** Returns the reason for rejecting a URL, in full sentences, or null to accept it. */
export type Guard = (url: URL, options: PolicyOptions) => string | null;

/**
 * The WHATWG Fetch standard's "bad ports". An HTTP request to one of them could attack a server that speaks another
 * protocol.
 */
const BAD_PORTS = new Set(
  `1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111 113 115 117 119 123 135
  137 139 143 161 179 389 427 465 512 513 514 515 526 530 531 532 540 548 554 556 563 587 601 636 989 990 993 995 1719
  1720 1723 2049 3659 4045 4190 5060 5061 6000 6566 6665 6666 6667 6668 6669 6679 6697 10080 0`.split(/\s+/),
);

/** Suffixes of host names that are never public (RFC 6761, RFC 6762, RFC 8375, ICANN reservations, common usage). */
export const SPECIAL_ENDINGS: readonly string[] =
  "localhost local internal intranet lan home corp private localdomain onion arpa test invalid".split(" ");

export function schemeGuard({ protocol }: URL, { allowHttp }: PolicyOptions): string | null {
  if (protocol === "https:" || (protocol === "http:" && allowHttp)) return null;
  if (protocol !== "http:") return `The URL must start with https://, not ${protocol}`;
  return "The URL must start with https://. The operator can allow plain http with MAVE_ALLOW_HTTP=on.";
}

export function userinfoGuard({ username, password }: URL): string | null {
  if (username === "" && password === "") return null;
  return "The URL must not contain a user name or password. Use a custom header instead.";
}

export function portGuard({ port }: URL): string | null {
  return BAD_PORTS.has(port) ? `Port ${port} is reserved for another protocol. Use a different port.` : null;
}

export function nameLengthGuard({ hostname }: URL): string | null {
  const name = bareName(hostname);
  const fits = name.length <= 253 && name.split(".").every((label) => label.length <= 63);
  return fits ? null : "The host name is longer than DNS allows.";
}

/** Resolvers disagree about names with consecutive dots or more than one trailing dot. */
export function emptyLabelGuard({ hostname }: URL): string | null {
  if (!hostname.includes("..") && !hostname.startsWith(".")) return null;
  return "The host name has an empty label between two dots.";
}

export function singleLabelGuard({ hostname }: URL, options: PolicyOptions): string | null {
  const name = bareName(hostname);
  if (isAddress(hostname) || name.includes(".") || isNameAllowed(name, options)) return null;
  return `${name} is not a public host name. ${HOW}`;
}

export function specialNameGuard({ hostname }: URL, options: PolicyOptions): string | null {
  const name = bareName(hostname);
  const ending = SPECIAL_ENDINGS.find((special) => name === special || name.endsWith(`.${special}`));
  if (ending === undefined || isNameAllowed(name, options)) return null;
  return `Host names that end in ${ending} are not public. ${HOW}`;
}

const HOW = "The operator can allow the host's network with MAVE_ALLOW_NETWORKS.";

/** Ordered by how useful their messages are, because only the first reason found is reported. */
export const URL_GUARDS: readonly Guard[] = [
  schemeGuard,
  userinfoGuard,
  portGuard,
  nameLengthGuard,
  emptyLabelGuard,
  singleLabelGuard,
  specialNameGuard,
];

/** Whether RFC 6761 assigns the name to this machine, so that no DNS query is needed. */
export function isLocalhost(name: string): boolean {
  const bare = bareName(name);
  return bare === "localhost" || bare.endsWith(".localhost");
}

/**
 * Returns whether a non-public name is allowed, which is the case only if the operator has allowed a non-public
 * network. The addresses that the name resolves to are still checked.
 */
function isNameAllowed(name: string, { allowNetworks }: PolicyOptions): boolean {
  if (!isLocalhost(name)) return allowNetworks.some((network) => network !== "loopback");
  return allowNetworks.some((network) => network === "loopback" || network.startsWith("127.") || network === "::1");
}

const bareName = (hostname: string): string => hostname.replace(/\.+$/, "").toLowerCase();

const isAddress = (hostname: string): boolean => hostname.startsWith("[") || /^\d+\.\d+\.\d+\.\d+$/.test(hostname);
