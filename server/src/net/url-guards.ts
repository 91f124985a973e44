import type { PolicyOptions } from "./address-policy.ts";

/** Says in one sentence why a URL is refused, or null. */
export type Guard = (url: URL, options: PolicyOptions) => string | null;

/** WHATWG fetch's "bad ports": those of other protocols, whose servers a request could be made to talk to. */
const BAD_PORTS = new Set(
  `1 7 9 11 13 15 17 19 20 21 22 23 25 37 42 43 53 69 77 79 87 95 101 102 103 104 109 110 111 113 115 117 119 123 135
  137 139 143 161 179 389 427 465 512 513 514 515 526 530 531 532 540 548 554 556 563 587 601 636 989 990 993 995 1719
  1720 1723 2049 3659 4045 4190 5060 5061 6000 6566 6665 6666 6667 6668 6669 6679 6697 10080 0`.split(/\s+/),
);

/** Endings of names that are never public (RFC 6761, RFC 6762, RFC 8375, ICANN's and common usage). */
export const SPECIAL_ENDINGS: readonly string[] =
  "localhost local internal intranet lan home corp private localdomain onion arpa test invalid".split(" ");

export function schemeGuard({ protocol }: URL, { allowHttp }: PolicyOptions): string | null {
  if (protocol === "https:" || (protocol === "http:" && allowHttp)) return null;
  if (protocol !== "http:") return `The URL has to begin with https://, not with ${protocol}`;
  return "The URL has to begin with https://. An operator of this server can allow plain http with MAVE_ALLOW_HTTP=on.";
}

export function userinfoGuard({ username, password }: URL): string | null {
  if (username === "" && password === "") return null;
  return "The URL holds a user name or a password. Use a header of the webhook for that.";
}

export function portGuard({ port }: URL): string | null {
  return BAD_PORTS.has(port) ? `Port ${port} belongs to another protocol. Choose another one.` : null;
}

export function nameLengthGuard({ hostname }: URL): string | null {
  const name = bareName(hostname);
  const fits = name.length <= 253 && name.split(".").every((label) => label.length <= 63);
  return fits ? null : "The host name is longer than DNS allows.";
}

/** Two dots in a row, or more than one at the end: resolvers disagree about what such a name means. */
export function emptyLabelGuard({ hostname }: URL): string | null {
  if (!hostname.includes("..") && !hostname.startsWith(".")) return null;
  return "The host name has an empty part between two dots.";
}

export function singleLabelGuard({ hostname }: URL, options: PolicyOptions): string | null {
  const name = bareName(hostname);
  if (isAddress(hostname) || name.includes(".") || opensName(name, options)) return null;
  return `${name} is not a public name. ${HOW}`;
}

export function specialNameGuard({ hostname }: URL, options: PolicyOptions): string | null {
  const name = bareName(hostname);
  const ending = SPECIAL_ENDINGS.find((special) => name === special || name.endsWith(`.${special}`));
  if (ending === undefined || opensName(name, options)) return null;
  return `Names that end in ${ending} are not public. ${HOW}`;
}

const HOW = "An operator of this server can open its networks with MAVE_ALLOW_NETWORKS.";

/** In the order in which a person would like to hear of them. */
export const URL_GUARDS: readonly Guard[] = [
  schemeGuard,
  userinfoGuard,
  portGuard,
  nameLengthGuard,
  emptyLabelGuard,
  singleLabelGuard,
  specialNameGuard,
];

/** Whether a name means this machine by definition (RFC 6761), so that no DNS server is asked. */
export function isLocalhost(name: string): boolean {
  const bare = bareName(name);
  return bare === "localhost" || bare.endsWith(".localhost");
}

/** A name that is not public is of use only where a network that is not public is open; its addresses are judged still. */
function opensName(name: string, { allowNetworks }: PolicyOptions): boolean {
  if (!isLocalhost(name)) return allowNetworks.some((network) => network !== "loopback");
  return allowNetworks.some((network) => network === "loopback" || network.startsWith("127.") || network === "::1");
}

const bareName = (hostname: string): string => hostname.replace(/\.+$/, "").toLowerCase();

const isAddress = (hostname: string): boolean => hostname.startsWith("[") || /^\d+\.\d+\.\d+\.\d+$/.test(hostname);
