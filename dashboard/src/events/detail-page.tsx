import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { eventQuery, eventTypesQuery } from "../api/queries.ts";
import type { Delivery, MaveEvent } from "../api/types.ts";
import { useAging } from "../clock.ts";
import { DeliveryRows } from "../deliveries/delivery-rows.tsx";
import { moment } from "../format.ts";
import { useLiveList } from "../live/live-list.ts";
import { useShortcuts } from "../shell/shortcuts.ts";
import { CopyText } from "../ui/copy.tsx";
import { Crumbs, Fact, Facts, PageHead, Section } from "../ui/page.tsx";
import { Empty, ErrorState, SkeletonRows } from "../ui/states.tsx";
import { Ago, When } from "../ui/time.tsx";
import { EventPayload } from "./event-payload.tsx";
import { subjectName } from "./subject.ts";

const route = getRouteApi("/app/events/$id");

export function EventPage() {
  const { id } = route.useParams();
  const { data, error, refetch } = useQuery(eventQuery(id));
  if (error && !data) return <ErrorState error={error} retry={() => void refetch()} />;
  return data ? <Detail key={id} event={data} /> : <SkeletonRows rows={6} />;
}

function Detail({ event }: { event: MaveEvent }) {
  const { id, type } = event;
  const { data: types } = useQuery(eventTypesQuery);
  const occurs = types?.data.find((one) => one.type === type)?.occurs;
  // The sequence is not part of the delivered payload.
  const { sequence: _, ...payload } = event;
  useShortcuts({ y: () => void navigator.clipboard.writeText(id) });
  return (
    <>
      <Crumbs to="/events" parent="Events">
        <span className="font-mono text-code">{id}</span>
      </Crumbs>
      <PageHead title={type}>{occurs}</PageHead>
      <div className="border-t border-line side:grid side:grid-cols-[minmax(0,1fr)_288px]">
        <div className="gutter min-w-0 py-5 side:border-r side:border-line">
          {event.erased === undefined ? <EventPayload text={JSON.stringify(payload)} /> : <Erased at={event.erased} />}
        </div>
        <aside aria-label="About this event" className="gutter border-line py-6 max-side:border-t side:px-6">
          <EventFacts event={event} />
        </aside>
      </div>
      <Deliveries event={id} />
    </>
  );
}

function Erased({ at }: { at: number }) {
  return (
    <Section title="Payload">
      <p className="text-text-2">
        Erased <Ago at={at} />. The event and its delivery log are kept.
      </p>
    </Section>
  );
}

function EventFacts({ event }: { event: MaveEvent }) {
  const { id, created, sequence, data, video = "" } = event;
  const when = useAging((now) => moment(created, now));
  return (
    <Facts>
      <Fact name="Event">
        <CopyText text={id} label="Copy event ID" />
      </Fact>
      <Fact name={data?.object === "webhook" ? "Webhook" : "Video"}>
        <Link
          to={data?.object === "webhook" ? "/webhooks/$id" : "/videos/$id"}
          params={{ id: data?.id ?? video }}
          className="rounded-tag text-accent hover:underline"
        >
          {subjectName(event)}
        </Link>
      </Fact>
      {sequence > 0 && <Fact name="Sequence">{sequence}</Fact>}
      <Fact name="Time">
        <When at={created}>{when}</When>, <Ago at={created} />
      </Fact>
    </Facts>
  );
}

function Deliveries({ event }: { event: string }) {
  const list = useLiveList<Delivery>({ topic: "delivery", path: "/v1/deliveries", query: { event } });
  return (
    <section aria-label="Deliveries" className="border-t border-line pt-5 pb-8">
      <h2 className="gutter pb-2 font-semibold">Deliveries</h2>
      <DeliveryRows
        list={list}
        without="video"
        empty={
          <Empty title="No deliveries">
            No webhook was subscribed to this event type when the event occurred. You can still send the event with a
            replay.
          </Empty>
        }
      />
    </section>
  );
}
