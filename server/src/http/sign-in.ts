import type { FastifyReply, FastifyRequest } from "fastify";
import type { People, SignedIn } from "../auth/people.ts";
import type { PersonPrincipal } from "../auth/principal.ts";
import type { Clock } from "../kernel/clock.ts";
import type { Random } from "../kernel/random.ts";
import { shortUuid } from "../kernel/short-uuid.ts";
import { uuidV7 } from "../kernel/uuid.ts";
import { insertAuditEntry } from "../store/audit-log.ts";
import type { Database } from "../store/db.ts";
import { checkOrigin } from "./access.ts";
import type { Api } from "./api.ts";
import { ref } from "./schemas/common.ts";
import { Link, LinkOpen, OwnerCreate, Session, SignedOut, SignIn } from "./schemas/space.ts";
import type { SignInLimits } from "./sign-in-limits.ts";

const tags = ["Dashboard"];

export interface SessionParts {
  db: Database;
  clock: Clock;
  random: Random;
  people: People;
  publicUrl: string;
  limits: SignInLimits;
}

/** Adds the sign-in routes for people. Programs use API keys instead. */
export function signInRoutes(app: Api, parts: SessionParts): void {
  const { people, publicUrl, limits } = parts;

  app.get(
    "/v1/session",
    {
      schema: { operationId: "getSession", summary: "Get the session", tags, response: { 200: ref(Session) } },
      config: { access: "person" },
    },
    ({ who }) => present(people, who as PersonPrincipal),
  );

  app.post(
    "/v1/session",
    {
      schema: {
        operationId: "signIn",
        summary: "Sign in",
        tags,
        body: ref(SignIn),
        response: { 201: ref(Session) },
      },
      config: { access: "anyone" },
    },
    async (request, reply) => {
      checkOrigin(request, publicUrl);
      const { email, password } = request.body;
      // Only password sign-ins are limited, because links are too random to guess.
      const uncount = await limits.count(request, email, people.deviceOf(request.headers, email));
      const person = await people.signIn(email, password, request.headers).catch(async (error) => {
        await noteFailure(parts, request, email);
        throw error;
      });
      await uncount();
      await note(parts, request, "member.signed_in", person.who);
      return signedIn(people, reply, person);
    },
  );

  app.delete(
    "/v1/session",
    {
      schema: { operationId: "signOut", summary: "Sign out", tags, response: { 200: ref(SignedOut) } },
      config: { access: "anyone" },
    },
    async (request, reply) => {
      checkOrigin(request, publicUrl);
      const person = await people.identify(request.headers, { cached: false });
      for (const cookie of await people.signOut(request.headers)) reply.header("set-cookie", cookie);
      if (person !== null) await note(parts, request, "member.signed_out", person.who);
      return { object: "session" as const, deleted: true };
    },
  );

  app.post(
    "/v1/session/link",
    {
      schema: {
        operationId: "openLink",
        summary: "Open a one-time link",
        description:
          "If the link is a sign-in link, signs the owner in. Otherwise, only returns the link's purpose, and the link stays valid.",
        tags,
        body: ref(LinkOpen),
        response: { 200: ref(Link) },
      },
      config: { access: "anyone" },
    },
    async (request, reply) => {
      checkOrigin(request, publicUrl);
      const { purpose, cookies, who } = await people.openLink(request.body.token, request.headers);
      for (const cookie of cookies) reply.header("set-cookie", cookie);
      if (who !== null) await note(parts, request, "member.signed_in", who, { with: "a one-time link" });
      return { object: "link" as const, purpose };
    },
  );

  app.post(
    "/v1/session/owner",
    {
      schema: {
        operationId: "createOwner",
        summary: "Create an account with a link",
        tags,
        body: ref(OwnerCreate),
        response: { 201: ref(Session) },
      },
      config: { access: "anyone" },
    },
    async (request, reply) => {
      checkOrigin(request, publicUrl);
      const { token, ...newcomer } = request.body;
      const person = await people.join(token, newcomer, request.headers);
      await note(parts, request, "member.joined", person.who, { name: newcomer.name });
      return signedIn(people, reply, person);
    },
  );
}

/** Records a sign-in, a sign-out or a join in the audit log. */
async function note(
  { db, clock, random }: SessionParts,
  request: FastifyRequest,
  action: string,
  { space, id: actor_id, email: actor }: PersonPrincipal,
  details: Record<string, string> = {},
): Promise<void> {
  const id = uuidV7(clock.now(), random);
  await insertAuditEntry(db, { space, id, action, actor, actor_id, address: request.ip, subject: null, details });
}

/** Records a failed sign-in, if a member has this email. Rate limits bound the number of these entries. */
async function noteFailure(parts: SessionParts, request: FastifyRequest, email: string): Promise<void> {
  const member = await parts.people.findByEmail(email);
  if (member !== null) await note(parts, request, "member.sign_in_failed", member);
}

async function signedIn(people: People, reply: FastifyReply, { who, cookies }: SignedIn) {
  for (const cookie of cookies) reply.header("set-cookie", cookie);
  return reply.code(201).send(await present(people, who));
}

async function present(people: People, { id, name, email, space }: PersonPrincipal) {
  const spaceName = await people.spaceName(space);
  return { object: "session" as const, user: { id, name, email }, space: { id: shortUuid(space), name: spaceName } };
}
