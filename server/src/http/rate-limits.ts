import rateLimit from "@fastify/rate-limit";
import type { FastifyRequest } from "fastify";
import { MaveError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Api } from "./api.ts";

export interface RateLimits {
  /** Counts a request against its API key, user, or address. @throws RATE_LIMITED */
  countRequest(request: FastifyRequest): Promise<void>;
  /** Counts an invalid key against the caller's address. @throws RATE_LIMITED */
  countInvalidKey(request: FastifyRequest): Promise<void>;
}

const MINUTE_MS = 60_000; // the unit of the limits below

/**
 * Keeps the counts in memory, per node, for a bounded number of callers. The limits do not have to be exact, because
 * they only protect the server.
 */
export async function createRateLimits(app: Api): Promise<RateLimits> {
  await app.register(rateLimit, { global: false });
  const limiter = (max: number, timeWindow: number, keyGenerator?: (request: FastifyRequest) => string) =>
    app.createRateLimit({ max, timeWindow, ...(keyGenerator && { keyGenerator }) });
  const perCaller = limiter(LIMITS.REQUESTS_PER_KEY_MAX, MINUTE_MS, ({ who }) => who.id);
  const perAddress = limiter(LIMITS.REQUESTS_PER_ADDRESS_MAX, MINUTE_MS);
  const invalidKeys = limiter(LIMITS.INVALID_KEYS_PER_ADDRESS_MAX, MINUTE_MS);
  return {
    async countRequest(request) {
      if (request.routeOptions.config.unlimited) return;
      check(await (request.who ? perCaller : perAddress)(request));
    },
    countInvalidKey: async (request) => check(await invalidKeys(request)),
  };
}

type Count = Awaited<ReturnType<ReturnType<Api["createRateLimit"]>>>;

/** @throws RATE_LIMITED */
function check(count: Count): void {
  if (count.isAllowed || !count.isExceeded) return;
  const retryAfter_s = Math.max(1, count.ttlInSeconds);
  throw new MaveError(
    "RATE_LIMITED",
    `The limit is ${count.max} per ${count.timeWindow / 1000} s. Try again in ${retryAfter_s} s.`,
    { retryAfter_s },
  );
}
