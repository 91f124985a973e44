import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { lazy, Suspense, useState } from "react";
import { webhookQuery } from "../api/queries.ts";
import type { Delivery, Webhook } from "../api/types.ts";
import { stateTabs } from "../deliveries/delivery-filters.tsx";
import { DeliveryRows } from "../deliveries/delivery-rows.tsx";
import { webhookName } from "../deliveries/names.ts";
import { LiveIndicator } from "../live/live-indicator.tsx";
import { useLiveList } from "../live/live-list.ts";
import { useShortcuts } from "../shell/shortcuts.ts";
import { CopyText } from "../ui/copy.tsx";
import { Crumbs, PageHead } from "../ui/page.tsx";
import { Empty, ErrorState, Skeleton } from "../ui/states.tsx";
import { Badge, webhookState } from "../ui/status.tsx";
import { StateTabs } from "../ui/tabs.tsx";
import { LatencyBreakdown } from "./latency-breakdown.tsx";
import { ProblemBanner } from "./problem-banner.tsx";
import { WebhookActions, type WebhookDialog } from "./webhook-actions.tsx";
import { WebhookFacts } from "./webhook-facts.tsx";
import { useMonitored } from "./webhook-health.ts";
import { WebhookMetrics } from "./webhook-metrics.tsx";
import type { MonitoredWebhook } from "./webhook-problems.ts";

const route = getRouteApi("/app/webhooks/$id");
const Charts = lazy(() => import("./webhook-charts.tsx"));

export function WebhookPage() {
  const { id } = route.useParams();
  const { data: webhook, error, refetch } = useQuery(webhookQuery(id));
  if (error && !webhook) return <ErrorState error={error} retry={() => void refetch()} />;
  return webhook ? <Detail key={id} webhook={webhook} /> : <Loading />;
}

function Loading() {
  return (
    <div role="status" aria-label="Loading" className="gutter flex flex-col gap-4 pt-20">
      <Skeleton className="h-7 w-60" />
      <Skeleton className="h-4 w-96 max-w-full" />
      <Skeleton className="mt-6 h-16 w-full" />
    </div>
  );
}

function Detail({ webhook }: { webhook: Webhook }) {
  const monitored = useMonitored(webhook);
  const [dialog, openDialog] = useState<WebhookDialog>();
  useShortcuts({ y: () => void navigator.clipboard.writeText(webhook.id) });
  return (
    <>
      <Crumbs to="/webhooks" parent="Webhooks">
        {webhookName(webhook)}
      </Crumbs>
      <PageHead
        title={webhookName(webhook)}
        badge={<Badge state={webhookState(webhook)} />}
        actions={
          <WebhookActions
            webhook={webhook}
            pending={monitored.health?.pending ?? 0}
            dialog={dialog}
            openDialog={openDialog}
          />
        }
      >
        <CopyText text={webhook.url} label="Copy URL" />
      </PageHead>
      <ProblemBanner monitored={monitored} onResume={() => openDialog("resume")} />
      <Body monitored={monitored} />
    </>
  );
}

/** The facts are beside the charts in a wide pane, and between the deliveries and the charts in a narrow pane. */
function Body({ monitored }: { monitored: MonitoredWebhook }) {
  const { webhook, health } = monitored;
  return (
    <div className="flex flex-col pb-10 side:grid side:grid-cols-[minmax(0,1fr)_320px] side:grid-rows-[auto_1fr_auto]">
      <div className="gutter order-1 pb-6 side:pr-8">
        <WebhookMetrics monitored={monitored} />
      </div>
      <div className="gutter order-3 py-6 side:order-2 side:row-span-2 side:max-w-[320px] side:pt-0 side:pl-0">
        <WebhookFacts webhook={webhook} health={health} />
      </div>
      <div className="gutter order-4 flex flex-col gap-6 pb-8 side:order-3 side:pr-8">
        <Suspense fallback={<Skeleton className="h-[187px] w-full" />}>{health && <Charts health={health} />}</Suspense>
        {health && <LatencyBreakdown health={health} />}
      </div>
      <div className="order-2 side:order-4 side:col-span-2">
        <Deliveries webhook={webhook} pending={health?.pending} />
      </div>
    </div>
  );
}

function Deliveries({ webhook: { id }, pending }: { webhook: Webhook; pending: number | undefined }) {
  const search = route.useSearch();
  const list = useLiveList<Delivery>({
    topic: "delivery",
    path: "/v1/deliveries",
    query: { ...search, webhook: id },
    limit: 20,
  });
  const empty = search.status ? (
    <Empty title="No deliveries have this status" />
  ) : (
    <Empty title="No deliveries yet">Send a test event or create a video. Deliveries appear here as they happen.</Empty>
  );
  return (
    <section aria-label="Recent deliveries">
      <div className="gutter flex flex-wrap items-center justify-between gap-x-4 gap-y-2 pb-2">
        <div className="flex flex-wrap items-center gap-x-4">
          <h2 className="font-semibold">Recent deliveries</h2>
          <LiveIndicator list={list} />
        </div>
        <StateTabs label="Status" tabs={stateTabs(search, "/webhooks/$id", pending, id)} />
      </div>
      <DeliveryRows list={list} empty={empty} without="webhook" />
    </section>
  );
}
