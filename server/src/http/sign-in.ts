import type { FastifyReply } from "fastify";
import type { People, SignedIn } from "../auth/people.ts";
import type { PersonPrincipal } from "../auth/principal.ts";
import { shortUuid } from "../kernel/short-uuid.ts";
import { checkOrigin } from "./access.ts";
import type { Api } from "./api.ts";
import { ref } from "./schemas/common.ts";
import { Link, LinkOpen, OwnerCreate, Session, SignedOut, SignIn } from "./schemas/space.ts";
import type { SignInLimits } from "./sign-in-limits.ts";

const tags = ["Dashboard"];

export interface SessionParts {
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
      const person = await people.signIn(email, password, request.headers);
      await uncount();
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
