import type { FastifyReply } from "fastify";
import type { People, SignedIn } from "../auth/people.ts";
import type { PersonPrincipal } from "../auth/principal.ts";
import { MaveError } from "../kernel/errors.ts";
import { shortUuid } from "../kernel/short-uuid.ts";
import { checkOrigin } from "./access.ts";
import type { Api } from "./api.ts";
import type { RateLimits } from "./rate-limits.ts";
import { Link, LinkOpen, OwnerCreate, Session, SignedOut, SignIn } from "./schemas/access.ts";
import { ref } from "./schemas/common.ts";

const tags = ["Dashboard"];

export interface SessionParts {
  people: People;
  publicUrl: string;
  limits: Pick<RateLimits, "maySignIn" | "wrongSignIn">;
}

/** How a person's browser signs in and out. Programs use API keys. */
export function sessionRoutes(app: Api, parts: SessionParts): void {
  const { people, publicUrl, limits } = parts;

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
        body: ref(SignIn),
        response: { 201: ref(Session) },
      },
      config: { access: "anyone" },
    },
    async (request, reply) => {
      checkOrigin(request, publicUrl);
      const { email, password } = request.body;
      // Links hold too much chance to be guessed; passwords do not.
      await limits.maySignIn(request);
      const person = await people.signIn(email, password, request.headers).catch(async (error) => {
        if (error instanceof MaveError && error.code === "SIGN_IN_FAILED") await limits.wrongSignIn(request);
        throw error;
      });
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
        body: ref(LinkOpen),
        response: { 200: ref(Link) },
      },
      config: { access: "anyone" },
    },
    async (request, reply) => {
      checkOrigin(request, publicUrl);
      const { purpose, cookies } = await people.openLink(request.body.token, request.headers);
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
        body: ref(OwnerCreate),
        response: { 201: ref(Session) },
      },
      config: { access: "anyone" },
    },
    async (request, reply) => {
      checkOrigin(request, publicUrl);
      const { token, ...newcomer } = request.body;
      return signedIn(people, reply, await people.join(token, newcomer, request.headers));
    },
  );
}

async function signedIn(people: People, reply: FastifyReply, { who, cookies }: SignedIn) {
  for (const cookie of cookies) reply.header("set-cookie", cookie);
  return reply.code(201).send(await present(people, who));
}

async function present(people: People, { id, name, email, space }: PersonPrincipal) {
  const spaceName = await people.spaceName(space);
  return { object: "session" as const, user: { id, name, email }, space: { id: shortUuid(space), name: spaceName } };
}
