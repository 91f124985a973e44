import { type Static, Type } from "typebox";
import { actorName } from "../auth/principal.ts";
import type { Replays } from "../delivery/replays.ts";
import type { Api } from "./api.ts";
import type { Change } from "./change.ts";
import { paged } from "./lists.ts";
import { id, ref } from "./schemas/common.ts";
import { Replay, ReplayCreate, ReplayList, ReplayQuery, ReplayUpdate } from "./schemas/deliveries.ts";

const params = Type.Object({ id: id() });
const tags = ["Replays"];
type View = Static<typeof Replay>;

export function replayRoutes(app: Api, { replays, change }: { replays: Replays; change: Change }): void {
  app.post(
    "/v1/replays",
    {
      schema: {
        operationId: "createReplay",
        summary: "Create a replay",
        description:
          "Delivers past events again in the background, while live deliveries continue. With `dry_run`, creates no replay and only returns the counts, so `id` is null.",
        tags,
        body: ref(ReplayCreate),
        response: { 201: ref(Replay) },
      },
      config: { idempotent: true },
    },
    async (request, reply): Promise<View> => {
      const { who, body } = request;
      if (body.dry_run) {
        reply.code(201);
        return replays.dryRun(who.space, body);
      }
      const audit = { action: "replay.created", subject, details: ({ webhook, total }: View) => ({ webhook, total }) };
      return change(request, reply, (tx) => replays.create(tx, who.space, body, actorName(who)), {
        status: 201,
        audit,
      });
    },
  );

  app.get(
    "/v1/replays",
    {
      schema: {
        operationId: "listReplays",
        summary: "List replays",
        description: "Newest first.",
        tags,
        querystring: ReplayQuery,
        response: { 200: ref(ReplayList) },
      },
    },
    ({ who, query }) => replays.list(who.space, { ...query, ...paged(query) }),
  );

  app.get(
    "/v1/replays/:id",
    {
      schema: {
        operationId: "getReplay",
        summary: "Get a replay",
        tags,
        params,
        response: { 200: ref(Replay) },
      },
    },
    ({ who, params }) => replays.get(who.space, params.id),
  );

  app.patch(
    "/v1/replays/:id",
    {
      schema: {
        operationId: "updateReplay",
        summary: "Pause or resume a replay",
        tags,
        params,
        body: ref(ReplayUpdate),
        response: { 200: ref(Replay) },
      },
    },
    (request, reply) => {
      const { status } = request.body;
      const audit = { action: `replay.${status === "paused" ? "paused" : "resumed"}`, subject };
      return change(request, reply, (tx) => replays.update(tx, request.who.space, request.params.id, { status }), {
        audit,
      });
    },
  );

  app.delete(
    "/v1/replays/:id",
    {
      schema: {
        operationId: "cancelReplay",
        summary: "Cancel a replay",
        description:
          "Cancels the replay's pending deliveries. Deliveries that the replay created become `canceled`, and deliveries that it reopened return to their previous status. Deliveries that are being sent right now are not affected.",
        tags,
        params,
        response: { 200: ref(Replay) },
      },
    },
    (request, reply) => {
      const audit = { action: "replay.canceled", subject };
      return change(request, reply, (tx) => replays.cancel(tx, request.who.space, request.params.id), {
        audit,
      });
    },
  );
}

const subject = ({ id }: { id: string | null }): string | null => id;
