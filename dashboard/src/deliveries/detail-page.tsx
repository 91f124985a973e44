import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { Copy, Ellipsis, RefreshCw, ShieldCheck } from "lucide-react";
import { useState } from "react";
import { deliveryQuery } from "../api/queries.ts";
import type { DeliveryWithLog } from "../api/types.ts";
import { useShortcuts } from "../shell/shortcuts.ts";
import { Button } from "../ui/button.tsx";
import { Confirm } from "../ui/dialog.tsx";
import { Menu } from "../ui/menu.tsx";
import { Crumbs, PageHead } from "../ui/page.tsx";
import { ErrorLine, ErrorState, SkeletonRows } from "../ui/states.tsx";
import { Badge, deliveryState } from "../ui/status.tsx";
import { Ago } from "../ui/time.tsx";
import { AttemptList } from "./attempt-list.tsx";
import { DeliveryFacts } from "./delivery-facts.tsx";
import { DeliverySummary } from "./delivery-summary.tsx";
import { useWebhookNames } from "./names.ts";
import { RequestResponse } from "./request-response.tsx";
import { useSendAgain } from "./send-again.ts";
import { Waterfall } from "./waterfall.tsx";

const route = getRouteApi("/app/deliveries/$id");

export function DeliveryPage() {
  const { id } = route.useParams();
  const { data, error, refetch } = useQuery(deliveryQuery(id));
  if (error && !data) return <ErrorState error={error} retry={() => void refetch()} />;
  return data ? <Detail key={id} delivery={data} /> : <SkeletonRows rows={6} />;
}

function Detail({ delivery }: { delivery: DeliveryWithLog }) {
  const { id, type, webhook, log, status, erased } = delivery;
  const { attempt } = route.useSearch();
  const webhookNames = useWebhookNames();
  const selected = log.find(({ number }) => number === attempt) ?? log.at(-1);
  useStepping(delivery, selected?.number);
  const again = useSendAgain();
  return (
    <>
      <Crumbs to="/deliveries" parent="Deliveries">
        <span className="font-mono text-code">{id}</span>
      </Crumbs>
      <PageHead
        title={`${type} to ${webhookNames(webhook) ?? "a deleted webhook"}`}
        badge={<Badge state={deliveryState(status)} />}
        actions={<Actions delivery={delivery} attempt={selected?.number} again={again} />}
      >
        <DeliverySummary delivery={delivery} />
        {again.error && (
          <div className="mt-3">
            <ErrorLine error={again.error} />
          </div>
        )}
      </PageHead>
      <div className="border-t border-line side:grid side:grid-cols-[minmax(0,1fr)_288px]">
        <div className="min-w-0 side:border-r side:border-line">
          <AttemptList delivery={id} log={log} selected={selected?.number} sending={status === "sending"} />
          {selected && <Waterfall attempt={selected} />}
          {selected && erased === null && <RequestResponse attempt={selected} />}
          {erased !== null && <Erased at={erased} />}
        </div>
        <aside aria-label="About this delivery" className="gutter border-line py-6 max-side:border-t side:px-6">
          <DeliveryFacts delivery={delivery} />
        </aside>
      </div>
    </>
  );
}

function Erased({ at }: { at: number }) {
  return (
    <p className="gutter border-t border-line py-5 text-text-2">
      The request and response data was erased <Ago at={at} />.
    </p>
  );
}

/** Binds "[" to the previous attempt and "]" to the next one. */
function useStepping({ id, log }: DeliveryWithLog, selected: number | undefined) {
  const navigate = useNavigate();
  const at = log.findIndex(({ number }) => number === selected);
  const go = (step: number) => {
    const next = log[at + step];
    if (next)
      void navigate({
        to: "/deliveries/$id",
        params: { id },
        search: { attempt: next.number },
        replace: true,
        resetScroll: false,
      });
  };
  useShortcuts({ "[": () => go(-1), "]": () => go(1) });
}

interface ActionsProps {
  delivery: DeliveryWithLog;
  attempt: number | undefined;
  again: ReturnType<typeof useSendAgain>;
}

function Actions({ delivery, attempt, again }: ActionsProps) {
  const { id, status, erased } = delivery;
  const [asking, setAsking] = useState(false);
  const navigate = useNavigate();
  const copyId = () => void navigator.clipboard.writeText(id);
  const send = () => (status === "succeeded" ? setAsking(true) : again.mutate(id));
  const sendable = status !== "canceled" && status !== "sending" && erased === null;
  useShortcuts({ s: () => sendable && send(), y: copyId });
  return (
    <>
      {sendable && (
        <Button look="ink" icon={RefreshCw} busy={again.isPending} onClick={send}>
          {status === "succeeded" || status === "failed" ? "Send again" : "Send now"}
        </Button>
      )}
      <Menu
        trigger={<Button icon={Ellipsis} aria-label="More actions" title="More actions" />}
        items={[
          { label: "Copy ID", icon: Copy, end: "Y", onSelect: copyId },
          {
            label: "Debug signature",
            icon: ShieldCheck,
            onSelect: () => void navigate({ to: "/debugger", search: { delivery: id, ...(attempt && { attempt }) } }),
          },
        ]}
      />
      <Confirm
        open={asking}
        onClose={() => setAsking(false)}
        title="Send again?"
        verb="Send again"
        busy={again.isPending}
        onConfirm={() => again.mutate(id, { onSettled: () => setAsking(false) })}
      >
        This delivery has already succeeded. The event ID stays the same, so the receiver can ignore the duplicate.
      </Confirm>
    </>
  );
}
