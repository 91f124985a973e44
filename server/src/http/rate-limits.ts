import rateLimit from "@fastify/rate-limit";
import type { FastifyRequest } from "fastify";
import { MaveError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Api } from "./api.ts";

export interface RateLimits {
  /** One more request of this key, person or address. @throws RATE_LIMITED */
  request(request: FastifyRequest): Promise<void>;
  /** One more wrong key from this address. @throws RATE_LIMITED */
  wrongKey(request: FastifyRequest): Promise<void>;
  /** @throws RATE_LIMITED where too many sign-ins failed, from this address or for this email */
  maySignIn(request: FastifyRequest): Promise<void>;
  /** One more sign-in that failed. */
  wrongSignIn(request: FastifyRequest): Promise<void>;
}

const MINUTE_MS = 60_000;

/** Counts per node and in memory, with a bound on how much is remembered: a limit need not be exact to protect. */
export async function createRateLimits(app: Api): Promise<RateLimits> {
  await app.register(rateLimit, { global: false });
  const limiter = (max: number, timeWindow: number, keyGenerator?: (request: FastifyRequest) => string) =>
    app.createRateLimit({ max, timeWindow, ...(keyGenerator && { keyGenerator }) });
  const perCaller = limiter(LIMITS.REQUESTS_PER_KEY_MAX, MINUTE_MS, ({ who }) => who.id);
  const perAddress = limiter(LIMITS.REQUESTS_PER_ADDRESS_MAX, MINUTE_MS);
  const wrongKeys = limiter(LIMITS.INVALID_KEYS_PER_ADDRESS_MAX, MINUTE_MS);
  const signIns = [
    limiter(LIMITS.FAILED_SIGN_INS_PER_ADDRESS_MAX, LIMITS.SIGN_IN_WINDOW_MS),
    limiter(LIMITS.FAILED_SIGN_INS_PER_EMAIL_MAX, LIMITS.SIGN_IN_WINDOW_MS, emailOf),
  ];
  return {
    async request(request) {
      if (request.routeOptions.config.unlimited) return;
      check(await (request.who ? perCaller : perAddress)(request));
    },
    wrongKey: async (request) => check(await wrongKeys(request)),
    async maySignIn(request) {
      for (const each of signIns) check(await each(request, { increment: false }), true);
    },
    async wrongSignIn(request) {
      for (const each of signIns) await each(request);
    },
  };
}

type Count = Awaited<ReturnType<ReturnType<Api["createRateLimit"]>>>;

/** @param before whether this asks if one more is allowed, rather than counting it */
function check(count: Count, before = false): void {
  if (count.isAllowed) return;
  if (before ? count.remaining > 0 : !count.isExceeded) return;
  const retryAfter_s = Math.max(1, count.ttlInSeconds);
  throw new MaveError(
    "RATE_LIMITED",
    `At most ${count.max} in ${count.timeWindow / 1000} s. Try again in ${retryAfter_s} s.`,
    {
      retryAfter_s,
    },
  );
}

const emailOf = (request: FastifyRequest) => (request.body as { email: string }).email.toLowerCase();
