import type { Static } from "typebox";
import { actorName } from "../auth/principal.ts";
import type { Cancellations } from "../delivery/cancellations.ts";
import type { Api } from "./api.ts";
import type { Change } from "./change.ts";
import { ref } from "./schemas/common.ts";
import { Cancellation, CancellationCreate } from "./schemas/deliveries.ts";

type View = Static<typeof Cancellation>;

export function cancellationRoutes(
  app: Api,
  { cancellations, change }: { cancellations: Cancellations; change: Change },
): void {
  app.post(
    "/v1/cancellations",
    {
      schema: {
        operationId: "createCancellation",
        summary: "Cancel pending deliveries",
        description:
          "Cancels all pending deliveries that match the filters, except those that are being sent right now. Each canceled delivery's `reason` says who canceled it. With `dry_run`, cancels nothing and only returns the counts. If `has_more` is true, repeat the request.",
        tags: ["Deliveries"],
        body: ref(CancellationCreate),
        response: { 201: ref(Cancellation) },
      },
      config: { idempotent: true },
    },
    async (request, reply): Promise<View> => {
      const { who, body } = request;
      const { dry_run, ...input } = body;
      if (dry_run) {
        reply.code(201);
        return cancellations.dryRun(who.space, input);
      }
      const audit = {
        action: "deliveries.canceled",
        subject: () => input.webhook ?? null,
        details: ({ total }: View) => ({ ...input, total }),
      };
      return change(request, reply, () => cancellations.create(who.space, input, actorName(who)), {
        status: 201,
        audit,
      });
    },
  );
}
