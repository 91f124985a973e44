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
        description: `Lists pending and finished deliveries, newest first. A request scans up to about ${LIMITS.LIST_SCAN_ROWS_MAX} finished deliveries. If few of them match the filters, the page can be short or empty even though \`has_more\` is true. Pass \`next\` as \`after\` to continue.`,
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
        description: "Includes each attempt's request, response and timings.",
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
        summary: "Send a delivery again",
        description:
          "Sends a retrying delivery immediately, or sends a finished delivery once more. The event id stays the same, so the receiver can deduplicate.",
        tags,
        params,
        response: { 202: ref(Delivery) },
      },
      config: { idempotent: true },
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
