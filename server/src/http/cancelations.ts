import type { Static } from "typebox";
import { actorName } from "../auth/principal.ts";
import type { Cancelations } from "../delivery/cancelations.ts";
import type { Api } from "./api.ts";
import type { Change } from "./change.ts";
import { ref } from "./schemas/common.ts";
import { Cancelation, CancelationCreate } from "./schemas/deliveries.ts";

type View = Static<typeof Cancelation>;

export function cancelationRoutes(
  app: Api,
  { cancelations, change }: { cancelations: Cancelations; change: Change },
): void {
  app.post(
    "/v1/cancelations",
    {
      schema: {
        operationId: "createCancelation",
        summary: "Cancel open deliveries",
        description:
          "All open deliveries that match end as `canceled`, with a reason that says who did it; those being sent right now are left alone. With `dry_run` it only counts. While `has_more`, ask again.",
        tags: ["Deliveries"],
        body: ref(CancelationCreate),
        response: { 201: ref(Cancelation) },
      },
      config: { once: true },
    },
    async (request, reply): Promise<View> => {
      const { who, body } = request;
      const { dry_run, ...input } = body;
      if (dry_run) {
        reply.code(201);
        return cancelations.dryRun(who.space, input);
      }
      const audit = {
        action: "deliveries.canceled",
        subject: () => input.webhook ?? null,
        details: ({ total }: View) => ({ ...input, total }),
      };
      return change(request, reply, (alongside) => cancelations.create(who.space, input, actorName(who), alongside), {
        status: 201,
        audit,
      });
    },
  );
}
