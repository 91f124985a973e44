import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Delivery, DeliveryStatus, MaveEvent, Video } from "../api/types.ts";
import { plural } from "../format.ts";
import { useChange } from "../live/changes.ts";
import { Section } from "../ui/page.tsx";
import { ErrorState, Skeleton } from "../ui/states.tsx";
import { deliveryState, Status } from "../ui/status.tsx";
import { type Column, Table } from "../ui/table.tsx";
import { Ago } from "../ui/time.tsx";
import { eventHistoryQuery } from "./video-queries.ts";

/** Shows a video's newest events, each with the state of its deliveries. */
export function EventHistory({ video }: { video: Video }) {
  const { data, error, refetch } = useQuery(eventHistoryQuery(video.id));
  useChange("delivery", (change) => {
    if (change.video === undefined || change.video === video.id) void refetch();
  });
  return (
    <Section
      title="Events"
      end={
        data?.more && (
          <Link to="/events" search={{ video: video.id }} className="font-medium text-accent hover:underline">
            View all events
          </Link>
        )
      }
    >
      {data ? (
        data.events.length === 0 ? (
          <p className="text-text-2">All events for this video are past the retention period.</p>
        ) : (
          <Table
            label="Events for this video, newest first"
            columns={columns(data.deliveries)}
            rows={data.events}
            inset
          />
        )
      ) : error ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : (
        <Skeleton className="h-24 w-full" />
      )}
    </Section>
  );
}

const columns = (deliveries: readonly Delivery[]): Column<MaveEvent>[] => [
  {
    name: "No.",
    width: "24px",
    align: "end",
    className: "text-text-3 numbers",
    cell: ({ sequence }) => sequence,
  },
  {
    name: "Event",
    width: "minmax(0,1fr)",
    narrow: "title",
    className: "font-mono text-code",
    cell: ({ id, type }) => (
      <Link to="/events/$id" params={{ id }} data-row className="stretched">
        {type}
      </Link>
    ),
  },
  {
    name: "Deliveries",
    width: "184px",
    narrow: "detail",
    cell: ({ id }) => <Deliveries event={id} deliveries={deliveries.filter(({ event }) => event === id)} />,
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

const worstFirst: DeliveryStatus[] = ["failed", "retrying", "held", "sending", "waiting", "canceled", "succeeded"];

/** Shows the state of a single delivery, or the worst state of several deliveries and how many are in that state. */
function Deliveries({ event, deliveries }: { event: string; deliveries: readonly Delivery[] }) {
  const [first, second] = deliveries;
  if (!first) return <span className="text-text-3">No deliveries</span>;
  const worst = worstFirst.find((status) => deliveries.some((delivery) => delivery.status === status)) ?? "waiting";
  const state = deliveryState(worst);
  const className = "relative z-1 rounded-tag hover:underline";
  if (!second)
    return (
      <Link to="/deliveries/$id" params={{ id: first.id }} className={className}>
        <Status state={state} />
      </Link>
    );
  const count = deliveries.filter(({ status }) => status === worst).length;
  const label = `${state.label} ${count} of ${plural(deliveries.length, "delivery", "deliveries")}`;
  return (
    <Link to="/deliveries" search={{ event }} className={className}>
      <Status state={{ ...state, label }} />
    </Link>
  );
}
