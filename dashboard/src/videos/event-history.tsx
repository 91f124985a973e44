/** What happened to this video, and whether each event has reached those who listen. */
import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { Delivery, DeliveryStatus, MaveEvent, Video } from "../api/types.ts";
import { plural } from "../format.ts";
import { useChange } from "../live/changes.ts";
import { useIsNarrow } from "../shell/pane.ts";
import { Section } from "../ui/page.tsx";
import { ErrorState, Skeleton } from "../ui/states.tsx";
import { deliveryState, Status } from "../ui/status.tsx";
import { Ago } from "../ui/time.tsx";
import { storyQuery } from "./video-queries.ts";

export function Story({ video }: { video: Video }) {
  const { data, error, refetch } = useQuery(storyQuery(video.id));
  useChange("delivery", ({ video: about }) => {
    if (about === undefined || about === video.id) void refetch();
  });
  return (
    <Section
      title="Events"
      end={
        data?.more && (
          <Link to="/events" search={{ video: video.id }} className="font-medium text-accent hover:underline">
            All events of this video
          </Link>
        )
      }
    >
      {data ? (
        <Events {...data} />
      ) : error ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : (
        <Skeleton className="h-24 w-full" />
      )}
    </Section>
  );
}

function Events({ events, deliveries }: { events: readonly MaveEvent[]; deliveries: readonly Delivery[] }) {
  const narrow = useIsNarrow();
  if (events.length === 0) return <p className="text-text-2">The events of this video are older than what is kept.</p>;
  const of = (event: MaveEvent) => deliveries.filter((delivery) => delivery.event === event.id);
  if (narrow)
    return (
      <ul aria-label="Events of this video, newest first" className="border-t border-line">
        {events.map((event) => (
          <Lines key={event.id} event={event} deliveries={of(event)} />
        ))}
      </ul>
    );
  return (
    <table className="w-full border-collapse">
      <caption className="sr-only">Events of this video, newest first</caption>
      <thead className="sr-only">
        <tr>
          <th scope="col">Number</th>
          <th scope="col">Event</th>
          <th scope="col">Deliveries</th>
          <th scope="col">Time</th>
        </tr>
      </thead>
      <tbody className="border-t border-line">
        {events.map((event) => (
          <Row key={event.id} event={event} deliveries={of(event)} />
        ))}
      </tbody>
    </table>
  );
}

function Row({ event, deliveries }: { event: MaveEvent; deliveries: readonly Delivery[] }) {
  return (
    <tr className="relative h-11 border-b border-line transition-colors duration-[120ms] focus-within:bg-hover hover:bg-hover">
      <td className="w-8 pr-2 text-right text-text-3 numbers">{event.sequence}</td>
      <td className="px-2">
        <Link to="/events/$id" params={{ id: event.id }} data-row className="stretched font-mono text-code">
          {event.type}
        </Link>
      </td>
      <td className="px-2">
        <Reached event={event.id} deliveries={deliveries} />
      </td>
      <td className="pl-2 text-right text-text-2">
        <Ago at={event.created} />
      </td>
    </tr>
  );
}

function Lines({ event, deliveries }: { event: MaveEvent; deliveries: readonly Delivery[] }) {
  return (
    <li className="relative border-b border-line py-2.5">
      <span className="flex items-baseline justify-between gap-3">
        <Link to="/events/$id" params={{ id: event.id }} data-row className="stretched truncate font-mono text-code">
          {event.type}
        </Link>
        <span className="shrink-0 text-text-2">
          <Ago at={event.created} />
        </span>
      </span>
      <span className="mt-0.5 block">
        <Reached event={event.id} deliveries={deliveries} />
      </span>
    </li>
  );
}

const worstFirst: DeliveryStatus[] = ["failed", "retrying", "held", "sending", "waiting", "canceled", "succeeded"];

/** One delivery: its state. Several: the worst, with its count. */
function Reached({ event, deliveries }: { event: string; deliveries: readonly Delivery[] }) {
  const [only] = deliveries;
  if (!only) return <span className="text-text-3">No webhook had chosen it</span>;
  const worst = worstFirst.find((status) => deliveries.some((delivery) => delivery.status === status)) ?? "waiting";
  const count = deliveries.filter(({ status }) => status === worst).length;
  const state = deliveryState(worst);
  const word =
    deliveries.length === 1
      ? state.word
      : `${state.word} ${count} of ${plural(deliveries.length, "delivery", "deliveries")}`;
  const className = "relative z-1 rounded-tag hover:underline";
  return deliveries.length === 1 ? (
    <Link to="/deliveries/$id" params={{ id: only.id }} className={className}>
      <Status state={{ ...state, word }} />
    </Link>
  ) : (
    <Link to="/deliveries" search={{ event }} className={className}>
      <Status state={{ ...state, word }} />
    </Link>
  );
}
