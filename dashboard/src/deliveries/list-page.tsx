import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { overviewQuery } from "../api/queries.ts";
import type { Delivery } from "../api/types.ts";
import { number } from "../format.ts";
import { LiveIndicator } from "../live/live-indicator.tsx";
import { useLiveList } from "../live/live-list.ts";
import { LinkButton } from "../ui/button.tsx";
import { PageHead } from "../ui/page.tsx";
import { Empty } from "../ui/states.tsx";
import { BulkActions } from "./bulk-actions.tsx";
import { DeliveryFilters } from "./delivery-filters.tsx";
import { DeliveryRows } from "./delivery-rows.tsx";

const route = getRouteApi("/app/deliveries");

export function DeliveriesPage() {
  const search = route.useSearch();
  const { data: overview } = useQuery(overviewQuery);
  const list = useLiveList<Delivery>({ topic: "delivery", path: "/v1/deliveries", query: search });
  const filters = Object.keys(search).length;
  return (
    <>
      <PageHead title="Deliveries" badge={<LiveIndicator list={list} />} actions={<BulkActions search={search} />}>
        Each delivery is one event sent to one webhook, with a log of its attempts.
      </PageHead>
      <DeliveryFilters search={search} pending={overview?.deliveries.pending} />
      <DeliveryRows list={list} empty={filters > 0 ? <NoMatch filters={filters} /> : <None />} />
    </>
  );
}

function NoMatch({ filters }: { filters: number }) {
  const matched = filters === 1 ? "this filter" : `${number(filters)} filters`;
  return (
    <Empty title={`No deliveries match ${matched}`} action={<LinkButton to="/deliveries">Clear filters</LinkButton>}>
      New deliveries that match will appear here.
    </Empty>
  );
}

function None() {
  return (
    <Empty
      title="No deliveries yet"
      action={
        <LinkButton look="ink" to="/webhooks">
          View webhooks
        </LinkButton>
      }
    >
      Create a webhook, then send a test event or upload a video. Deliveries appear here as they happen.
    </Empty>
  );
}
