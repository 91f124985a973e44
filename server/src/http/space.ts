import type { Spaces } from "../auth/spaces.ts";
import type { Api } from "./api.ts";
import type { Change } from "./change.ts";
import { ref } from "./schemas/common.ts";
import { Space, SpaceUpdate } from "./schemas/space.ts";

const tags = ["Space"];

/** Adds the routes for the caller's space. They need no id, because every key and session belongs to one space. */
export function spaceRoutes(app: Api, { spaces, change }: { spaces: Spaces; change: Change }): void {
  app.get(
    "/v1/space",
    { schema: { operationId: "getSpace", summary: "Get the space", tags, response: { 200: ref(Space) } } },
    ({ who }) => spaces.get(who.space),
  );

  app.patch(
    "/v1/space",
    {
      schema: {
        operationId: "updateSpace",
        summary: "Rename the space",
        tags,
        body: ref(SpaceUpdate),
        response: { 200: ref(Space) },
      },
      config: { access: "person" },
    },
    (request, reply) => {
      const { name } = request.body;
      const audit = { action: "space.renamed", subject: ({ id }: { id: string }) => id, details: () => ({ name }) };
      return change(request, reply, (tx) => spaces.rename(tx, request.who.space, name), { audit });
    },
  );
}
