import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { Copy, Ellipsis, RefreshCw, ShieldCheck } from "lucide-react";
import { useState } from "react";
import { deliveryQuery } from "../api/queries.ts";
import type { DeliveryWithLog } from "../api/types.ts";
import { useKeys } from "../shell/keys.ts";
import { Button } from "../ui/button.tsx";
import { Confirm } from "../ui/dialog.tsx";
import { Menu } from "../ui/menu.tsx";
import { Crumbs, PageHead } from "../ui/page.tsx";
import { ErrorLine, ErrorState, SkeletonRows } from "../ui/states.tsx";
import { Badge, deliveryState } from "../ui/status.tsx";
import { Ago } from "../ui/time.tsx";
import { Attempts } from "./attempt-list.tsx";
import { Side } from "./delivery-facts.tsx";
import { Sentence } from "./delivery-summary.tsx";
import { useWebhookNames } from "./names.ts";
import { ExchangeView } from "./request-response.tsx";
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
  const { attempt: asked } = route.useSearch();
  const webhookNames = useWebhookNames();
  const chosen = log.find(({ number }) => number === asked) ?? log.at(-1);
  useStepping(delivery, chosen?.number);
  const again = useSendAgain();
  return (
    <>
      <Crumbs to="/deliveries" parent="Deliveries">
        <span className="font-mono text-code">{id}</span>
      </Crumbs>
      <PageHead
        title={`${type} to ${webhookNames(webhook) ?? "a deleted webhook"}`}
        badge={<Badge state={deliveryState(status)} />}
        actions={<Actions delivery={delivery} attempt={chosen?.number} again={again} />}
      >
        <Sentence delivery={delivery} />
        {again.error && (
          <div className="mt-3">
            <ErrorLine error={again.error} />
          </div>
        )}
      </PageHead>
      <div className="border-t border-line side:grid side:grid-cols-[minmax(0,1fr)_288px]">
        <div className="min-w-0 side:border-r side:border-line">
          <Attempts delivery={id} log={log} chosen={chosen?.number} sending={status === "sending"} />
          {chosen && <Waterfall attempt={chosen} />}
          {chosen && erased === null && <ExchangeView key={chosen.number} attempt={chosen} />}
          {erased !== null && <Erased at={erased} />}
        </div>
        <aside aria-label="About this delivery" className="gutter border-line py-6 max-side:border-t side:px-6">
          <Side delivery={delivery} />
        </aside>
      </div>
    </>
  );
}

function Erased({ at }: { at: number }) {
  return (
    <p className="gutter border-t border-line py-5 text-text-2">
      What was sent and answered was erased <Ago at={at} />.
    </p>
  );
}

/** "[" shows the attempt before, "]" the one after. */
function useStepping({ id, log }: DeliveryWithLog, chosen: number | undefined) {
  const navigate = useNavigate();
  const at = log.findIndex(({ number }) => number === chosen);
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
  useKeys({ "[": () => go(-1), "]": () => go(1) });
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
  useKeys({ s: () => sendable && send(), y: copyId });
  return (
    <>
      {sendable && (
        <Button look="ink" icon={RefreshCw} busy={again.isPending} onClick={send}>
          {status === "succeeded" || status === "failed" ? "Send again" : "Send again now"}
        </Button>
      )}
      <Menu
        trigger={<Button icon={Ellipsis} aria-label="More actions" title="More actions" />}
        items={[
          { word: "Copy the id", icon: Copy, end: "Y", onSelect: copyId },
          {
            word: "Check its signature",
            icon: ShieldCheck,
            onSelect: () => void navigate({ to: "/debugger", search: { delivery: id, ...(attempt && { attempt }) } }),
          },
        ]}
      />
      <Confirm
        open={asking}
        onClose={() => setAsking(false)}
        title="Send it again?"
        verb="Send again"
        busy={again.isPending}
        onConfirm={() => again.mutate(id, { onSettled: () => setAsking(false) })}
      >
        It has arrived already. The event id stays the same, so the receiver can ignore it.
      </Confirm>
    </>
  );
}
