import type { IncomingHttpHeaders } from "node:http";
import { unixSeconds } from "../kernel/clock.ts";
import { MaveError } from "../kernel/errors.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Log } from "../kernel/log.ts";
import type { Random } from "../kernel/random.ts";
import type { Database, Sql } from "../store/db.ts";
import { findLink, insertLink, type LinkPurpose, sweepLinks, useLink } from "../store/sign-in-links.ts";
import { claimSpace, getSpace, lockFirstSpace } from "../store/spaces.ts";
import { createDevices } from "./devices.ts";
import { createMembers, type FoundMember, type Members, type Newcomer } from "./members.ts";
import { type OpenAuthLibrary, openAuthLibrary } from "./open-better-auth.ts";
import type { PersonPrincipal } from "./principal.ts";
import { hashLinkToken } from "./sign-in-links.ts";

/** A signed-in user and the cookies to set in their browser. */
export interface SignedIn {
  who: PersonPrincipal;
  cookies: string[];
}

/** Signs users in and out, lets them join a space, and manages its members. */
export interface People {
  /** Loads the sign-in library and migrates its tables. Otherwise, both happen on the first call to another method. */
  prepare(): Promise<void>;
  /**
   * Returns the user whose session cookie is in the headers, or null if the cookie is missing or invalid.
   * @param cached whether the copy of the session in the cookie is enough. For up to SESSION_CACHED_S, it does not show
   *   that the session has ended.
   */
  identify(headers: IncomingHttpHeaders, options: { cached: boolean }): Promise<SignedIn | null>;
  /** Returns an id for the device if a user has signed in with this email on it before, otherwise null. */
  deviceOf(headers: IncomingHttpHeaders, email: string): string | null;
  /** @throws SIGN_IN_FAILED, or OVERLOADED if too many passwords are being checked */
  signIn(email: string, password: string, headers: IncomingHttpHeaders): Promise<SignedIn>;
  /** Ends the session. @returns the cookies that clear the session from the browser */
  signOut(headers: IncomingHttpHeaders): Promise<string[]>;
  /**
   * Returns a link's purpose. If it is a sign-in link, this also consumes it and signs the owner in.
   * @throws LINK_INVALID
   */
  openLink(token: string, headers: IncomingHttpHeaders): Promise<OpenedLink>;
  /**
   * Consumes a first-run link or an invitation and signs the new user in.
   * @throws LINK_INVALID, OWNER_EXISTS, REQUEST_INVALID
   */
  join(token: string, newcomer: Newcomer, headers: IncomingHttpHeaders): Promise<SignedIn>;
  /** Returns the member with this email, or null. */
  findByEmail(email: string): Promise<PersonPrincipal | null>;
  /** Creates a one-time link that lets a new member join the space. */
  invite(tx: Sql, space: string): Promise<Invitation>;
  members: Members;
  spaceName(id: string): Promise<string>;
}

export interface OpenedLink {
  purpose: LinkPurpose;
  cookies: string[];
  /** The owner, if the link has signed the owner in. */
  who: PersonPrincipal | null;
}

export interface Invitation {
  object: "invitation";
  url: string;
  expires: number;
}

export interface PeopleParts {
  db: Database;
  log: Log;
  random: Random;
  publicUrl: string;
  /** Signs the session cookies. The key is not stored in the database, so a stolen session row is useless. */
  cookieKey: Buffer;
}

export function createPeople(parts: PeopleParts): People {
  const library = openAuthLibrary(parts);
  const members = createMembers(library, parts.db);
  const devices = createDevices(parts);
  const signInHere: People["signIn"] = async (email, password, headers) => {
    const { who, cookies } = await signIn(library, members, email, password, headers);
    return { who, cookies: [...cookies, devices.remember(email)] };
  };
  const join = oneAtATime((token: string, newcomer: Newcomer) => enter(parts.db, members, token, newcomer));
  return {
    prepare: async () => void (await library()),
    identify: (headers, { cached }) => identify(library, headers, cached),
    deviceOf: devices.find,
    signIn: signInHere,
    async signOut(headers) {
      const { api } = await library();
      return (await api.signOut({ headers: webHeaders(headers), returnHeaders: true })).headers.getSetCookie();
    },
    openLink: (token, headers) => openLink(parts.db, library, members, token, headers),
    async join(token, newcomer, headers) {
      await join(token, newcomer);
      return signInHere(newcomer.email, newcomer.password, headers);
    },
    async findByEmail(email) {
      const member = await members.findByEmail(email);
      return member && principalOf(member);
    },
    invite: (tx, space) => invite(parts, tx, space),
    members,
    spaceName: async (id) => (await getSpace(parts.db, id))?.name ?? "",
  };
}

async function identify(
  library: OpenAuthLibrary,
  headers: IncomingHttpHeaders,
  cached: boolean,
): Promise<SignedIn | null> {
  const { response, headers: sessionHeaders } = await (await library()).api.getSession({
    headers: webHeaders(headers),
    query: { disableCookieCache: !cached },
    returnHeaders: true,
  });
  const space = response?.session.activeOrganizationId;
  if (!response || !space) return null;
  const { id, name, email } = response.user;
  const role = response.session.role === "owner" ? "owner" : "member";
  return { who: { kind: "person", space, id, name, email, role }, cookies: sessionHeaders.getSetCookie() };
}

async function signIn(
  library: OpenAuthLibrary,
  members: Members,
  email: string,
  password: string,
  headers: IncomingHttpHeaders,
): Promise<SignedIn> {
  const user = await members.checkPassword(email, password);
  const signedIn = user && (await signInById(library, members, user, headers));
  if (!signedIn) throw new MaveError("SIGN_IN_FAILED");
  return signedIn;
}

async function signInById(
  library: OpenAuthLibrary,
  members: Members,
  userId: string,
  headers: IncomingHttpHeaders,
): Promise<SignedIn | null> {
  const member = await members.find(userId);
  if (!member) return null;
  const { space, role } = member;
  const response = await (await library()).api.signInById({
    body: { userId, space, role },
    headers: webHeaders(headers),
    returnHeaders: true,
  });
  return { who: principalOf(member), cookies: response.headers.getSetCookie() };
}

function principalOf({ space, role, user: { id, name, email } }: FoundMember): PersonPrincipal {
  return { kind: "person", space, id, name, email, role };
}

async function openLink(
  db: Database,
  library: OpenAuthLibrary,
  members: Members,
  token: string,
  headers: IncomingHttpHeaders,
): Promise<OpenedLink> {
  const link = await findLink(db, hashLinkToken(token));
  if (!link) throw new MaveError("LINK_INVALID");
  if (link.purpose !== "sign_in") return { purpose: link.purpose, cookies: [], who: null };
  if (!(await useLink(db, hashLinkToken(token), "sign_in"))) throw new MaveError("LINK_INVALID");
  const owner = await members.owner(link.space_id);
  const signedIn = owner && (await signInById(library, members, owner, headers));
  if (!signedIn) throw new MaveError("LINK_INVALID");
  return { purpose: "sign_in", ...signedIn };
}

/**
 * Locks the space's row until the new user is stored, so that using several first-run links at the same time creates
 * only one owner. The library writes on its own connection, so a crash before our commit can leave a new user behind
 * without consuming the link. If the link is used again with the same email, that user is replaced unless it has a
 * membership.
 */
async function enter(db: Database, members: Members, token: string, newcomer: Newcomer): Promise<void> {
  const hash = hashLinkToken(token);
  await db.transaction(async (tx) => {
    const link = await findLink(tx, hash);
    if (link?.purpose === "invitation" && (await useLink(tx, hash, "invitation")))
      return members.add(link.space_id, "member", newcomer);
    if (link?.purpose !== "owner") throw new MaveError("LINK_INVALID");
    const space = await lockFirstSpace(tx);
    if (space.claimed_at) throw new MaveError("OWNER_EXISTS", "Sign in, or ask the owner for an invitation.");
    if (!(await useLink(tx, hash, "owner"))) throw new MaveError("LINK_INVALID");
    await members.add(space.id, "owner", newcomer);
    await claimSpace(tx, space.id);
    await sweepLinks(tx);
  });
}

async function invite({ random, publicUrl }: PeopleParts, tx: Sql, space: string): Promise<Invitation> {
  const token = random.bytes(32).toString("base64url");
  const hash = hashLinkToken(token);
  const expires = await insertLink(tx, { hash, purpose: "invitation", space, valid_ms: LIMITS.INVITATION_VALID_MS });
  const url = `${publicUrl}/dashboard/link#${token}`;
  return { object: "invitation", url, expires: unixSeconds(expires.getTime()) };
}

/**
 * Returns a version of `work` that runs one call at a time. Otherwise, concurrent calls could deadlock, because each
 * holds one database connection while it waits for another.
 */
function oneAtATime<Arguments extends unknown[]>(
  work: (...args: Arguments) => Promise<void>,
): (...args: Arguments) => Promise<void> {
  let last: Promise<unknown> = Promise.resolve();
  return (...args) => {
    const mine = last.then(() => work(...args));
    last = mine.catch(() => undefined); // the caller handles the error
    return mine;
  };
}

/** Returns the request headers that the library reads. */
export function webHeaders(headers: IncomingHttpHeaders): Headers {
  const kept = new Headers();
  for (const name of ["cookie", "user-agent"] as const) {
    const value = headers[name];
    if (value !== undefined) kept.set(name, value);
  }
  return kept;
}
