import { isIP } from "node:net";
import { LIMITS } from "../kernel/limits.ts";
import { allowedRanges, DENIED_IPV4, DENIED_IPV6, GLOBAL_IPV6, type Range, rangeList } from "./address-ranges.ts";
import type { ErrorWord } from "./error-words.ts";
import { type Guard, type PolicyOptions, URL_GUARDS } from "./url-guards.ts";

/** `reason` describes what is not allowed, which rule forbids it, and how the operator can allow it. */
export type Refusal = { ok: false; reason: string; word: ErrorWord };

export interface AddressPolicy {
  readonly options: PolicyOptions;
  /**
   * Checks everything that can be checked without resolving the host name. Runs at registration and again for each
   * request.
   */
  checkUrl(url: string): { ok: true; url: URL } | Refusal;
  /** Checks one IP address. Runs for literal hosts, each address from DNS, and the peer of each new connection. */
  checkAddress(address: string, host?: string): { ok: true } | Refusal;
}

/** The rules are lists, so that a test can remove them one at a time. */
export interface PolicyRules {
  guards: readonly Guard[];
  ipv4: readonly Range[];
  ipv6: readonly Range[];
}

const RULES: PolicyRules = { guards: URL_GUARDS, ipv4: DENIED_IPV4, ipv6: DENIED_IPV6 };

/**
 * Decides where requests may be sent. The policy is pure, so its results can be cached. The URL is parsed once, by the
 * same WHATWG rules that the client uses, and only the parsed parts are checked. Parsing normalizes decimal, octal,
 * hexadecimal, short and full-width spellings of an address to dotted form.
 */
export function createAddressPolicy(options: PolicyOptions, rules: PolicyRules = RULES): AddressPolicy {
  const checkAddress = addressCheck(options, rules);
  return {
    options,
    checkAddress,
    checkUrl(text) {
      if (text.length > LIMITS.URL_CHARACTERS_MAX)
        return refuse(`The URL is longer than ${LIMITS.URL_CHARACTERS_MAX} characters.`);
      if (!URL.canParse(text))
        return refuse("The URL is invalid. Use a complete one, such as https://example.com/webhooks.");
      const url = new URL(text);
      for (const guard of rules.guards) {
        const reason = guard(url, options);
        if (reason !== null) return refuse(reason);
      }
      const literal = literalAddress(url.hostname);
      const address = literal === null ? undefined : checkAddress(literal);
      return address?.ok === false ? address : { ok: true, url };
    },
  };
}

const refuse = (reason: string): Refusal => ({ ok: false, reason, word: "url_refused" });

/** @returns the host's IP address without IPv6 brackets, or null if the host is a name */
export function literalAddress(hostname: string): string | null {
  const host = hostname.startsWith("[") ? hostname.slice(1, -1) : hostname;
  return isIP(host) === 0 ? null : host;
}

function addressCheck({ allowNetworks }: PolicyOptions, rules: PolicyRules): AddressPolicy["checkAddress"] {
  const allowed = rangeList(allowedRanges(allowNetworks));
  const global = rangeList([GLOBAL_IPV6]);
  const denied = rangeList([...rules.ipv4, ...rules.ipv6]);
  return (address, host) => {
    // A zone id names a network interface on this machine. BlockList would ignore it, so such an address is rejected.
    const family = address.includes("%") ? 0 : isIP(address);
    const type = family === 4 ? "ipv4" : "ipv6";
    if (family === 0) return block(address, host, "not an IP address");
    if (allowed.check(address, type)) return { ok: true };
    if (family === 6 && !global.check(address, type)) return block(address, host, "not a public IPv6 address");
    if (!denied.check(address, type)) return { ok: true };
    return block(address, host, ruleOf(address, type, rules));
  };
}

/** @returns a description of the denied range that contains the address */
function ruleOf(address: string, type: "ipv4" | "ipv6", { ipv4, ipv6 }: PolicyRules): string {
  const rule = (type === "ipv4" ? ipv4 : ipv6).find((one) => rangeList([one]).check(address, type))!;
  return `in ${rule.network}/${rule.prefix} (${rule.is})`;
}

function block(address: string, host: string | undefined, rule: string): Refusal {
  const what = host === undefined || host === address ? address : `${host} resolves to ${address}, which`;
  const how = "The operator can allow a network with MAVE_ALLOW_NETWORKS.";
  return { ok: false, word: "address_blocked", reason: `${what} is ${rule}: not a public address. ${how}` };
}
