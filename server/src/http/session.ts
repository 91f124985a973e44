import type { FastifyReply, FastifyRequest } from "fastify";
import type { People } from "../auth/people.ts";
import type { PersonPrincipal } from "../auth/principal.ts";
import { MaveError } from "../errors.ts";
import { shortUuid } from "../events/short-uuid.ts";
import { checkOrigin } from "./access.ts";
import type { Api } from "./api.ts";
import { Link, LinkOpen, OwnerCreate, Session, SignedOut, SignIn } from "./schemas/access.ts";
import { ref } from "./schemas/common.ts";

const tags = ["Dashboard"];

export interface SessionParts {
  people: People;
  publicUrl: string;
  /** Counts a sign-in that failed, by address and by email. @throws RATE_LIMITED once there were too many */
  wrongSignIn(request: FastifyRequest, email?: string): Promise<void>;
  /** @throws RATE_LIMITED where there were too many already */
  maySignIn(request: FastifyRequest, email?: string): void;
}

/** How a person's browser signs in and out. Programs use API keys. */
export function sessionRoutes(app: Api, parts: SessionParts): void {
  const { people, publicUrl } = parts;

  app.get(
    "/v1/session",
    {
      schema: { operationId: "getSession", summary: "Who is signed in", tags, response: { 200: ref(Session) } },
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
        body: SignIn,
        response: { 201: ref(Session) },
      },
      config: { access: "anyone" },
    },
    async (request, reply) => {
      checkOrigin(request, publicUrl);
      const { email, password } = request.body;
      return signedIn(parts, request, reply, () => people.signIn(email, password, request.headers), email);
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
      for (const cookie of await people.signOut(request.headers)) reply.header("set-cookie", cookie);
      return { object: "session" as const, deleted: true };
    },
  );

  app.post(
    "/v1/session/link",
    {
      schema: {
        operationId: "openLink",
        summary: "Open a one-time link",
        description: "A link to sign in signs in; another says what it is for and stays good.",
        tags,
        body: LinkOpen,
        response: { 200: ref(Link) },
      },
      config: { access: "anyone" },
    },
    async (request, reply) => {
      checkOrigin(request, publicUrl);
      parts.maySignIn(request);
      const { purpose, cookies } = await people
        .openLink(request.body.token, request.headers)
        .catch((error) => counted(parts, request, error));
      for (const cookie of cookies) reply.header("set-cookie", cookie);
      return { object: "link" as const, purpose };
    },
  );

  app.post(
    "/v1/session/owner",
    {
      schema: {
        operationId: "createOwner",
        summary: "Become the owner of a new server, or a member by invitation",
        tags,
        body: OwnerCreate,
        response: { 201: ref(Session) },
      },
      config: { access: "anyone" },
    },
    async (request, reply) => {
      checkOrigin(request, publicUrl);
      const { token, ...newcomer } = request.body;
      return signedIn(parts, request, reply, () => people.join(token, newcomer, request.headers));
    },
  );
}

async function signedIn(
  parts: SessionParts,
  request: FastifyRequest,
  reply: FastifyReply,
  enter: () => ReturnType<People["signIn"]>,
  email?: string,
) {
  parts.maySignIn(request, email);
  const { who, cookies } = await enter().catch((error) => counted(parts, request, error, email));
  for (const cookie of cookies) reply.header("set-cookie", cookie);
  return reply.code(201).send(await present(parts.people, who));
}

async function counted(parts: SessionParts, request: FastifyRequest, error: unknown, email?: string): Promise<never> {
  if (error instanceof MaveError && (error.status === 401 || error.status === 410))
    await parts.wrongSignIn(request, email);
  throw error;
}

async function present(people: People, { id, name, email, space }: PersonPrincipal) {
  const spaceName = await people.spaceName(space);
  return { object: "session" as const, user: { id, name, email }, space: { id: shortUuid(space), name: spaceName } };
}
