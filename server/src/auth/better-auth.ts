import { betterAuth } from "better-auth";
import { createAuthEndpoint } from "better-auth/api";
import { setSessionCookie } from "better-auth/cookies";
import { hashPassword, verifyPassword } from "better-auth/crypto";
import { getMigrations } from "better-auth/db/migration";
import { organization } from "better-auth/plugins/organization";
import { PostgresDialect } from "kysely";
import pLimit from "p-limit";
import { MaveError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Log } from "../kernel/log.ts";
import type { Database } from "../store/db.ts";
import { holdTurn } from "../store/turns.ts";

export interface LibraryParts {
  db: Database;
  log: Log;
  publicUrl: string;
  /** Signs the session cookies. The key is not stored in the database, so a stolen session row is useless. */
  cookieKey: Buffer;
}

export type AuthLibrary = ReturnType<typeof createAuthLibrary>;

/**
 * Creates the sign-in library, which manages passwords, sessions and memberships in the `auth` schema. Each space
 * corresponds to an organization with the same id in the library. The library's own HTTP routes are not served. Our
 * routes call its functions instead.
 */
export function createAuthLibrary({ db, log, publicUrl, cookieKey }: LibraryParts) {
  return betterAuth({
    baseURL: publicUrl,
    secret: cookieKey.toString("base64"),
    telemetry: { enabled: false },
    database: {
      dialect: new PostgresDialect({ pool: db.pool }),
      type: "postgres",
      schemaName: "auth",
      transaction: true,
    },
    logger: { level: "error", log: (_level, message) => log.error({ part: "sign-in" }, message) },
    emailAndPassword: {
      enabled: true,
      autoSignIn: false,
      minPasswordLength: LIMITS.PASSWORD_CHARACTERS_MIN,
      maxPasswordLength: LIMITS.PASSWORD_CHARACTERS_MAX,
      password: {
        hash: (password) => whenThreadIsFree(() => hashPassword(password)),
        verify: (given) => whenThreadIsFree(() => verifyPassword(given)),
      },
    },
    session: {
      expiresIn: LIMITS.SESSION_VALID_S,
      cookieCache: { enabled: true, maxAge: LIMITS.SESSION_CACHED_S },
      additionalFields: { role: { type: "string", required: false, input: false } },
    },
    advanced: { cookiePrefix: "mave", useSecureCookies: publicUrl.startsWith("https:") },
    plugins: [organization(), signInById()],
  });
}

const hashing = pLimit(LIMITS.HASHES_AT_ONCE_MAX);

/**
 * Hashes passwords one at a time. Hashing is slow on purpose and runs on the threads that also read files, so without a
 * bound, a burst of sign-ins by strangers would stop videos and pages from loading.
 * @throws OVERLOADED if too many calls are waiting
 */
function whenThreadIsFree<Result>(hash: () => Promise<Result>): Promise<Result> {
  if (hashing.pendingCount < LIMITS.HASHES_WAITING_MAX) return hashing(hash);
  throw new MaveError("OVERLOADED", "Too many people are signing in. Try again shortly.", { retryAfter_s: 5 });
}

/**
 * Creates a plugin that signs in a user who has already been authenticated by a password or a one-time link. It is not
 * exposed over HTTP.
 */
function signInById() {
  const metadata = { $Infer: { body: {} as { userId: string; space: string; role: string } } };
  return {
    id: "sign-in-by-id",
    endpoints: {
      signInById: createAuthEndpoint("/sign-in/by-id", { method: "POST", metadata }, async (ctx) => {
        const { userId, space, role } = ctx.body;
        const user = await ctx.context.internalAdapter.findUserById(userId);
        if (!user) return ctx.json({ signedIn: false });
        const session = await ctx.context.internalAdapter.createSession(userId, false, {
          activeOrganizationId: space,
          role,
        });
        await setSessionCookie(ctx, { session, user });
        return ctx.json({ signedIn: true });
      }),
    },
  } satisfies { id: string; endpoints: Record<string, unknown> };
}

/** Migrates the `auth` schema on one node at a time. */
export async function migrateAuth(library: AuthLibrary, db: Database): Promise<void> {
  await db.transaction(async (tx) => {
    await holdTurn(tx, "sign-in-tables");
    const { runMigrations } = await getMigrations(library.options);
    await runMigrations();
  }, LIMITS.STATEMENT_LONG_MS);
}
