import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { eventQuery, eventTypesQuery } from "../api/queries.ts";
import type { Delivery, MaveEvent } from "../api/types.ts";
import { useAging } from "../clock.ts";
import { DeliveryRows } from "../deliveries/delivery-rows.tsx";
import { moment } from "../format.ts";
import { useLiveList } from "../live/live-list.ts";
import { useKeys } from "../shell/keys.ts";
import { CopyText } from "../ui/copy.tsx";
import { Crumbs, Fact, Facts, PageHead, Section } from "../ui/page.tsx";
import { Empty, ErrorState, SkeletonRows } from "../ui/states.tsx";
import { Ago, When } from "../ui/time.tsx";
import { Payload } from "./event-payload.tsx";
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
  // The number within the video is beside the event, not part of what is delivered.
  const { sequence: _, ...payload } = event;
  useKeys({ y: () => void navigator.clipboard.writeText(id) });
  return (
    <>
      <Crumbs to="/events" parent="Events">
        <span className="font-mono text-code">{id}</span>
      </Crumbs>
      <PageHead title={type}>{occurs}</PageHead>
      <div className="border-t border-line side:grid side:grid-cols-[minmax(0,1fr)_288px]">
        <div className="gutter min-w-0 py-5 side:border-r side:border-line">
          {event.erased === undefined ? <Payload text={JSON.stringify(payload)} /> : <Erased at={event.erased} />}
        </div>
        <aside aria-label="About this event" className="gutter border-line py-6 max-side:border-t side:px-6">
          <About event={event} />
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
        It was erased <Ago at={at} />. That the event happened, and how it was delivered, is kept.
      </p>
    </Section>
  );
}

function About({ event }: { event: MaveEvent }) {
  const { id, created, sequence, data, video = "" } = event;
  const when = useAging((now) => moment(created, now));
  return (
    <Facts>
      <Fact name="Event">
        <CopyText text={id} label="Copy the event's id" />
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
      {sequence > 0 && <Fact name="Order">Event {sequence} of its video</Fact>}
      <Fact name="Happened">
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
          <Empty title="It went to no webhook">
            None had chosen this type when it happened. A replay can still send it.
          </Empty>
        }
      />
    </section>
  );
}
