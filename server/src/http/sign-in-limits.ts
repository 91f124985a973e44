import type { FastifyRequest } from "fastify";
import { RateLimiterMemory, type RateLimiterRes } from "rate-limiter-flexible";
import { MaveError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";

export interface SignInLimits {
  /**
   * Counts a sign-in before its password is hashed, because concurrent attempts would otherwise all be hashed before
   * the first of them is counted.
   * @param device the device's id, if a user has signed in with this email on it before
   * @returns a function that takes the count back, to be called if the sign-in succeeds
   * @throws RATE_LIMITED
   */
  count(request: FastifyRequest, email: string, device: string | null): Promise<() => Promise<void>>;
}

/**
 * Limits wrong passwords. A device on which a user has signed in with an email before has a limit of its own, so
 * strangers who try that email from elsewhere cannot lock the user out. All counts are kept in memory, per node.
 */
export function createSignInLimits(): SignInLimits {
  const limiter = (points: number) =>
    new RateLimiterMemory({ points, duration: LIMITS.SIGN_IN_WINDOW_MS / 1_000, keyPrefix: "" });
  const perDevice = limiter(LIMITS.SIGN_INS_PER_DEVICE_MAX);
  const perAddress = limiter(LIMITS.SIGN_INS_PER_ADDRESS_MAX);
  const perEmailAndAddress = limiter(LIMITS.SIGN_INS_PER_EMAIL_AND_ADDRESS_MAX);
  const perEmail = limiter(LIMITS.SIGN_INS_PER_EMAIL_MAX);
  return {
    async count(request, email, device) {
      const [name, network] = [email.toLowerCase(), networkOf(request.ip)];
      const counted: [RateLimiterMemory, string][] =
        device !== null
          ? [[perDevice, device]]
          : [
              [perAddress, network], // first, so that one address cannot fill the memory with emails
              [perEmailAndAddress, `${name} ${network}`],
              [perEmail, name],
            ];
      for (const [each, key] of counted) await each.consume(key).catch(refuse(each));
      return async () => {
        for (const [each, key] of counted) await each.reward(key);
      };
    },
  };
}

const refuse =
  ({ points, duration }: RateLimiterMemory) =>
  ({ msBeforeNext }: RateLimiterRes): never => {
    const retryAfter_s = Math.max(1, Math.ceil(msBeforeNext / 1_000));
    throw new MaveError(
      "RATE_LIMITED",
      `Too many sign-ins: the limit is ${points} per ${duration} s. Try again in ${retryAfter_s} s.`,
      { retryAfter_s },
    );
  };

/** Returns the IPv4 address, or the /64 network of an IPv6 address, which usually belongs to a single customer. */
function networkOf(address: string): string {
  const v4 = /^(?:::ffff:)?(\d+\.\d+\.\d+\.\d+)$/.exec(address)?.[1];
  if (v4 !== undefined) return v4;
  const [head = "", tail = ""] = address.split("::");
  const left = head.split(":").filter(Boolean);
  const right = tail.split(":").filter(Boolean);
  const zeros = address.includes("::") ? Array<string>(8 - left.length - right.length).fill("0") : [];
  return [...left, ...zeros, ...right].slice(0, 4).join(":");
}
