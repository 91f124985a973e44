import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { api } from "../api/client.ts";
import type { Delivery, List, MaveEvent } from "../api/types.ts";
import { number } from "../format.ts";
import { NewRowsButton } from "../live/live-indicator.tsx";
import type { LiveList } from "../live/live-list.ts";
import { ErrorState, SkeletonRows } from "../ui/states.tsx";
import { deliveryState, Status } from "../ui/status.tsx";
import { type Column, LoadMore, Table } from "../ui/table.tsx";
import { Ago } from "../ui/time.tsx";
import { subjectName } from "./subject.ts";

export function EventRows({ list, empty }: { list: LiveList<MaveEvent>; empty: ReactNode }) {
  const deliveriesOf = useDeliveriesByEvent();
  if (list.error) return <ErrorState error={list.error} retry={list.retry} />;
  if (list.loading) return <SkeletonRows />;
  return (
    <div ref={list.ref}>
      <NewRowsButton list={list} />
      {list.rows.length === 0 ? (
        empty
      ) : (
        <Table label="Events, newest first" columns={columnsOf(deliveriesOf)} rows={list.rows} />
      )}
      {list.older.exist && <LoadMore busy={list.older.busy} onClick={list.older.load} />}
    </div>
  );
}

const columnsOf = (deliveriesOf: DeliveriesOf): Column<MaveEvent>[] => [
  {
    name: "Event",
    width: "160px",
    narrow: "title",
    className: "font-mono text-code",
    cell: ({ id, type }) => (
      <Link to="/events/$id" params={{ id }} data-row className="stretched">
        {type}
      </Link>
    ),
  },
  { name: "Subject", width: "minmax(0,1fr)", narrow: "detail", cell: subjectName },
  {
    name: "Sequence",
    width: "72px",
    align: "end",
    from: "wide",
    className: "text-text-2 numbers",
    cell: ({ sequence }) => (sequence > 0 ? sequence : "–"),
  },
  {
    name: "Deliveries",
    width: "176px",
    narrow: "detailEnd",
    cell: (event) => <DeliveryOutcome deliveries={deliveriesOf(event)} />,
  },
  {
    name: "Time",
    width: "112px",
    align: "end",
    narrow: "titleEnd",
    className: "text-text-2",
    cell: ({ created }) => <Ago at={created} />,
  },
];

type DeliveriesOf = (event: MaveEvent) => Delivery[] | undefined;

/**
 * Fetches the deliveries for recent events in one request. @returns a function that returns an event's deliveries, or
 * undefined if the event is too old or nothing is loaded yet
 */
function useDeliveriesByEvent(): DeliveriesOf {
  const { data } = useQuery({
    queryKey: ["delivery", "fresh", "by-event"],
    queryFn: ({ signal }) => api.get<List<Delivery>>("/v1/deliveries", { limit: 100 }, signal),
  });
  const byEvent = Map.groupBy(data?.data ?? [], ({ event }) => event);
  const oldest = data?.has_more ? (data.data.at(-1)?.created ?? 0) : -1;
  return ({ id, created }) => byEvent.get(id) ?? (data && created > oldest ? [] : undefined);
}

const WORST_FIRST = ["failed", "retrying", "sending", "waiting", "held", "canceled", "succeeded"] as const;

/** Shows the worst status and how many deliveries have it, such as "2 of 3 failed". */
function DeliveryOutcome({ deliveries }: { deliveries: Delivery[] | undefined }) {
  if (deliveries === undefined) return null;
  const worst = WORST_FIRST.find((status) => deliveries.some((delivery) => delivery.status === status));
  if (worst === undefined) return <span className="text-text-3">None</span>;
  const same = deliveries.filter(({ status }) => status === worst).length;
  const state = deliveryState(worst);
  const all = deliveries.length;
  const count = same === all ? number(all) : `${number(same)} of ${number(all)}`;
  const label = all === 1 ? state.label : `${count} ${state.label.toLowerCase()}`;
  return <Status state={{ ...state, label }} />;
}
