import { unixSeconds } from "../kernel/clock.ts";
import { MaveError } from "../kernel/errors.ts";
import type { Database } from "../store/db.ts";
import { getSpace } from "../store/spaces.ts";
import type { OpenAuthLibrary } from "./open-better-auth.ts";

export interface Newcomer {
  name: string;
  email: string;
  password: string;
}

export interface Member {
  id: string;
  object: "member";
  created: number;
  name: string;
  email: string;
  role: Role;
}

type Role = "owner" | "member";

/** The members of each space, stored in the sign-in library's tables. Each user belongs to one space. */
export interface Members {
  /** @throws REQUEST_INVALID if the email address cannot be used */
  add(space: string, role: Role, newcomer: Newcomer): Promise<void>;
  list(space: string): Promise<Member[]>;
  /**
   * Removes a member and ends the member's sessions. The sign-in library commits on its own connection, so if the
   * process crashes before the caller commits, the member is removed but the audit entry is lost.
   * @throws NOT_FOUND, or CONFLICT if the member is the owner
   */
  remove(space: string, id: string): Promise<Member>;
  find(userId: string): Promise<FoundMember | null>;
  findByEmail(email: string): Promise<FoundMember | null>;
  /**
   * Returns the user's id, or null if the email or password is wrong. Takes the same time whether or not a user with
   * this email exists.
   */
  checkPassword(email: string, password: string): Promise<string | null>;
  /** Returns the owner's user id, or null if the space has no owner yet. */
  owner(space: string): Promise<string | null>;
}

/** A member with the space that the member belongs to. */
export interface FoundMember {
  space: string;
  role: Role;
  user: UserRow;
}

interface UserRow {
  id: string;
  name: string;
  email: string;
}

interface MemberRow {
  id: string;
  organizationId: string;
  userId: string;
  role: string;
  createdAt: Date;
}

export function createMembers(library: OpenAuthLibrary, db: Database): Members {
  const context = async () => (await library()).$context;
  const roleOf = (row: MemberRow): Role => (row.role === "owner" ? "owner" : "member");

  const findRow = async (field: "userId" | "id", value: string): Promise<MemberRow | null> =>
    (await context()).adapter.findOne<MemberRow>({ model: "member", where: [{ field, value }] });

  async function list(space: string): Promise<Member[]> {
    const { adapter } = await context();
    const where = [{ field: "organizationId", value: space }];
    const rows = await adapter.findMany<MemberRow>({
      model: "member",
      where,
      sortBy: { field: "createdAt", direction: "asc" },
    });
    const ids = rows.map(({ userId }) => userId);
    if (ids.length === 0) return [];
    const users = await adapter.findMany<UserRow>({
      model: "user",
      where: [{ field: "id", operator: "in", value: ids }],
    });
    return rows.flatMap((row) => {
      const user = users.find(({ id }) => id === row.userId);
      return user ? [present(row, user)] : [];
    });
  }

  const present = (row: MemberRow, { name, email }: UserRow): Member => {
    const created = unixSeconds(new Date(row.createdAt).getTime());
    return { id: row.id, object: "member", created, name, email, role: roleOf(row) };
  };

  const find = async (userId: string): Promise<FoundMember | null> => {
    const row = await findRow("userId", userId);
    const user = row && (await (await context()).internalAdapter.findUserById(userId));
    return row && user ? { space: row.organizationId, role: roleOf(row), user } : null;
  };

  return {
    add: (space, role, newcomer) => add(library, db, space, role, newcomer),
    list,
    async remove(space, id) {
      const member = (await list(space)).find((each) => each.id === id);
      const row = member && (await findRow("id", id));
      if (!row) throw new MaveError("NOT_FOUND");
      if (member.role === "owner") throw new MaveError("CONFLICT", "The owner of a space cannot be removed.");
      const { internalAdapter, adapter } = await context();
      await adapter.delete({ model: "member", where: [{ field: "id", value: id }] });
      await internalAdapter.deleteUser(row.userId); // also deletes the user's sessions
      return member;
    },
    find,
    async findByEmail(email) {
      const found = await (await context()).internalAdapter.findUserByEmail(email.toLowerCase());
      return found && find(found.user.id);
    },
    async checkPassword(email, password) {
      const { internalAdapter, password: hashing } = await context();
      const found = await internalAdapter.findUserByEmail(email.toLowerCase(), { includeAccounts: true });
      const hash = found?.accounts.find(({ providerId }) => providerId === "credential")?.password;
      if (found && hash) return (await hashing.verify({ hash, password })) ? found.user.id : null;
      // Hashing takes as long as verifying a password, so the response time does not reveal whether the user exists.
      await hashing.hash(password);
      return null;
    },
    async owner(space) {
      const rows = await (await context()).adapter.findMany<MemberRow>({
        model: "member",
        where: [
          { field: "organizationId", value: space },
          { field: "role", value: "owner" },
        ],
      });
      return rows[0]?.userId ?? null;
    },
  };
}

async function add(
  library: OpenAuthLibrary,
  db: Database,
  space: string,
  role: Role,
  { name, email, password }: Newcomer,
): Promise<void> {
  const { adapter, internalAdapter } = await (await library()).$context;
  await ensureOrganization(library, db, space);
  const known = await internalAdapter.findUserByEmail(email.toLowerCase());
  if (known) await replaceLeftover(library, known.user.id);
  const { user } = await (await library()).api.signUpEmail({ body: { name, email, password } }).catch(refused);
  const row = { organizationId: space, userId: user.id, role, createdAt: new Date(user.createdAt) };
  await adapter.create({ model: "member", data: row });
}

async function ensureOrganization(library: OpenAuthLibrary, db: Database, space: string): Promise<void> {
  const { adapter } = await (await library()).$context;
  if (await adapter.findOne({ model: "organization", where: [{ field: "id", value: space }] })) return;
  const row = await getSpace(db, space);
  if (!row) throw new MaveError("NOT_FOUND");
  const data = { id: space, name: row.name, slug: space, createdAt: row.created_at };
  await adapter.create({ model: "organization", forceAllowId: true, data });
}

/** Deletes a user that a crash left without a membership. @throws REQUEST_INVALID if the user is a member */
async function replaceLeftover(library: OpenAuthLibrary, userId: string): Promise<void> {
  const { adapter, internalAdapter } = await (await library()).$context;
  const member = await adapter.findOne({ model: "member", where: [{ field: "userId", value: userId }] });
  if (member) throw emailRefused("already belongs to a member");
  await internalAdapter.deleteUser(userId);
}

const emailRefused = (detail: string) =>
  new MaveError("REQUEST_INVALID", `The email address ${detail}.`, { errors: [{ path: "/email", detail }] });

/**
 * Converts the library's email address errors to REQUEST_INVALID. The library validates email addresses more strictly
 * than our schema does.
 */
function refused(error: { body?: { code?: string; message?: string } }): never {
  if (/email/i.test(`${error.body?.code} ${error.body?.message}`)) throw emailRefused("is not valid");
  throw error;
}
