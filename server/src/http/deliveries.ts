import { Type } from "typebox";
import type { Deliveries } from "../delivery/deliveries.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Api } from "./api.ts";
import type { Change } from "./change.ts";
import { paged } from "./lists.ts";
import { id, ref } from "./schemas/common.ts";
import { Delivery, DeliveryList, DeliveryQuery, DeliveryWithLog } from "./schemas/deliveries.ts";

const params = Type.Object({ id: id() });
const tags = ["Deliveries"];

export function deliveryRoutes(app: Api, { deliveries, change }: { deliveries: Deliveries; change: Change }): void {
  app.get(
    "/v1/deliveries",
    {
      schema: {
        operationId: "listDeliveries",
        summary: "List deliveries",
        description: `Newest first, open and finished. Filters that match next to nothing are looked for among some ${LIMITS.LIST_SCAN_ROWS_MAX} finished deliveries at a time: a page may be short, even empty, while \`has_more\` says that there are older ones to look at. Go on from \`next\`.`,
        tags,
        querystring: DeliveryQuery,
        response: { 200: ref(DeliveryList) },
      },
    },
    ({ who, query }) => deliveries.list(who.space, { ...query, ...paged(query) }),
  );

  app.get(
    "/v1/deliveries/:id",
    {
      schema: {
        operationId: "getDelivery",
        summary: "Get a delivery with its attempts",
        description: "Each attempt with what was sent, what was answered, and where the time went.",
        tags,
        params,
        response: { 200: ref(DeliveryWithLog) },
      },
    },
    ({ who, params }) => deliveries.get(who.space, params.id),
  );

  app.post(
    "/v1/deliveries/:id/attempts",
    {
      schema: {
        operationId: "sendDeliveryAgain",
        summary: "Send it now",
        description:
          "One that waits for its retry is sent at once, a finished one once more. The event's id stays the same, so that a receiver can ignore what it knows.",
        tags,
        params,
        response: { 202: ref(Delivery) },
      },
      config: { once: true },
    },
    (request, reply) => {
      const audit = { action: "delivery.sent_again", subject: ({ id }: { id: string }) => id };
      return change(request, reply, (tx) => deliveries.sendAgain(tx, request.who.space, request.params.id), {
        status: 202,
        audit,
      });
    },
  );
}
