import { Type } from "typebox";
import type { ApiKeys } from "../auth/api-keys.ts";
import { actorName } from "../auth/principal.ts";
import type { Api } from "./api.ts";
import type { Change } from "./change.ts";
import { deleted, paged } from "./lists.ts";
import { Deleted, id, ref } from "./schemas/common.ts";
import { ApiKeyCreate, ApiKeyList, ApiKeyWithKey, PageQuery } from "./schemas/space.ts";

const tags = ["API keys"];

export function apiKeyRoutes(app: Api, { apiKeys, change }: { apiKeys: ApiKeys; change: Change }): void {
  app.post(
    "/v1/api-keys",
    {
      schema: {
        operationId: "createApiKey",
        summary: "Create an API key",
        description: "This is the only response that contains the key itself.",
        tags,
        body: ref(ApiKeyCreate),
        response: { 201: ref(ApiKeyWithKey) },
      },
      config: { idempotent: true },
    },
    (request, reply) => {
      const { name, scope = "write" } = request.body;
      const audit = { action: "api_key.created", subject, details: () => ({ name, scope }) };
      return change(
        request,
        reply,
        (tx) => apiKeys.create(tx, request.who.space, { name, scope, by: actorName(request.who) }),
        { status: 201, audit },
      );
    },
  );

  app.get(
    "/v1/api-keys",
    {
      schema: {
        operationId: "listApiKeys",
        summary: "List API keys",
        description: "Newest first. The keys themselves are not included.",
        tags,
        querystring: PageQuery,
        response: { 200: ref(ApiKeyList) },
      },
    },
    ({ who, query }) => apiKeys.list(who.space, paged(query)),
  );

  app.delete(
    "/v1/api-keys/:id",
    {
      schema: {
        operationId: "deleteApiKey",
        summary: "Delete an API key",
        description:
          "The key stops working immediately on the node that handles the request, and within 5 s on other nodes.",
        tags,
        params: Type.Object({ id: id() }),
        response: { 200: ref(Deleted) },
      },
    },
    (request, reply) => {
      const audit = { action: "api_key.deleted", subject, details: ({ name }: { name: string }) => ({ name }) };
      return change(request, reply, (tx) => apiKeys.remove(tx, request.who.space, request.params.id), {
        audit,
        present: deleted,
      });
    },
  );
}

const subject = ({ id }: { id: string }): string => id;
