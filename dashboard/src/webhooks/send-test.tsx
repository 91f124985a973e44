/** Sends a test event and shows the response in place. */
import { useMutation, useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Send } from "lucide-react";
import { useState } from "react";
import { api } from "../api/client.ts";
import { deliveryQuery } from "../api/queries.ts";
import type { Delivery, DeliveryWithLog, Webhook } from "../api/types.ts";
import { diagnose } from "../deliveries/delivery-text.ts";
import { duration } from "../format.ts";
import { Button } from "../ui/button.tsx";
import { Select } from "../ui/field.tsx";
import { ErrorLine } from "../ui/states.tsx";
import { deliveryState, Status } from "../ui/status.tsx";

const POLL_MS = 500;
const PENDING = new Set(["waiting", "sending", "retrying"]);

export function SendTest({ webhook }: { webhook: Webhook }) {
  const [type, setType] = useState("webhook.test");
  const send = useMutation({ mutationFn: () => api.post<Delivery>(`/v1/webhooks/${webhook.id}/tests`, { type }) });
  const types = ["webhook.test", ...webhook.events.filter((one) => one !== "webhook.test")];
  return (
    <div className="flex flex-col gap-3">
      <div className="flex flex-wrap items-end gap-2">
        <div className="w-48 min-w-0">
          <Select label="Event type" value={type} onChange={(event) => setType(event.target.value)}>
            {types.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </Select>
        </div>
        <Button icon={Send} busy={send.isPending} onClick={() => send.mutate()}>
          Send test
        </Button>
      </div>
      <ErrorLine error={send.error} />
      {send.data && <TestResult key={send.data.id} id={send.data.id} />}
    </div>
  );
}

function TestResult({ id }: { id: string }) {
  const { data } = useQuery({
    ...deliveryQuery(id),
    refetchInterval: (query) => (isPending(query.state.data) ? POLL_MS : false),
  });
  const attempt = data?.log.at(-1);
  return (
    <div role="status" className="rounded-control bg-sunken p-3 shadow-[inset_0_0_0_1px_var(--line)]">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <Status state={deliveryState(data?.status ?? "sending")} />
        {attempt && <span className="text-text-2 numbers">{duration(attempt.timings.total)}</span>}
      </div>
      {attempt && <p className="mt-1 text-read">{diagnose(attempt)}</p>}
      {data && (
        <Link
          to="/deliveries/$id"
          params={{ id }}
          className="mt-1 inline-block rounded-tag text-accent hover:underline"
        >
          View request and response
        </Link>
      )}
    </div>
  );
}

const isPending = (delivery: DeliveryWithLog | undefined): boolean =>
  delivery === undefined || PENDING.has(delivery.status);
