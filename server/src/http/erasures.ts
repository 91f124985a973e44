import { type Static, Type } from "typebox";
import type { Erasures } from "../events/erasures.ts";
import type { Api } from "./api.ts";
import type { Change } from "./change.ts";
import { ref, videoId } from "./schemas/common.ts";
import { Erasure } from "./schemas/events.ts";

type View = Static<typeof Erasure>;

export function erasureRoutes(app: Api, { erasures, change }: { erasures: Erasures; change: Change }): void {
  app.post(
    "/v1/videos/:id/erasures",
    {
      schema: {
        operationId: "createErasure",
        summary: "Erase the event data of a deleted video",
        description:
          "Removes the video's name and metadata, its event payloads, and the headers and bodies of its delivery attempts. Mave keeps the record of whether, when and how each event was delivered. This cannot be undone. The video must already be deleted and must have no pending deliveries. If `has_more` is true, repeat the request.",
        tags: ["Videos"],
        params: Type.Object({ id: videoId() }),
        response: { 201: ref(Erasure) },
      },
      config: { idempotent: true },
    },
    (request, reply): Promise<View> => {
      const { who, params } = request;
      const audit = {
        action: "video.erased",
        subject: () => params.id,
        details: ({ events, attempts }: View) => ({ events, attempts }),
      };
      return change(request, reply, (tx) => erasures.create(tx, who.space, params.id), {
        status: 201,
        audit,
      });
    },
  );
}
