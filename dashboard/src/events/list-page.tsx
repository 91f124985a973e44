import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { X } from "lucide-react";
import { eventTypesQuery } from "../api/queries.ts";
import type { MaveEvent } from "../api/types.ts";
import { LiveIndicator } from "../live/live-indicator.tsx";
import { useLiveList } from "../live/live-list.ts";
import type { EventSearch } from "../shell/search-params.ts";
import { Button, LinkButton } from "../ui/button.tsx";
import { Select } from "../ui/field.tsx";
import { PageHead } from "../ui/page.tsx";
import { Empty } from "../ui/states.tsx";
import { EventRows } from "./event-rows.tsx";

const route = getRouteApi("/app/events");

export function EventsPage() {
  const search = route.useSearch();
  const list = useLiveList<MaveEvent>({ topic: "event", path: "/v1/events", query: { ...search, order: "desc" } });
  const filtered = search.type !== undefined || search.video !== undefined;
  return (
    <>
      <PageHead title="Events" badge={<LiveIndicator list={list} />}>
        Events are immutable. An event has the same ID for every webhook and in every attempt.
      </PageHead>
      <Filters search={search} />
      <EventRows list={list} empty={filtered ? <NoMatch /> : <None />} />
    </>
  );
}

function Filters({ search: { type, video } }: { search: EventSearch }) {
  const navigate = useNavigate();
  const { data: types } = useQuery(eventTypesQuery);
  const go = (next: EventSearch) => void navigate({ to: "/events", search: next, replace: true });
  return (
    <div className="gutter flex flex-wrap items-center gap-2 pb-4">
      <div className="w-48">
        <Select
          label="Event type"
          hideLabel
          value={type ?? ""}
          onChange={({ target }) => go({ ...(target.value && { type: target.value }), ...(video && { video }) })}
        >
          <option value="">All events</option>
          {types?.data.map((one) => (
            <option key={one.type}>{one.type}</option>
          ))}
        </Select>
      </div>
      {video && (
        <Button icon={X} aria-label={`Remove filter: video ${video}`} onClick={() => go(type ? { type } : {})}>
          <span>
            Video <span className="font-mono text-code">{video}</span>
          </span>
        </Button>
      )}
    </div>
  );
}

function NoMatch() {
  return <Empty title="No events match" action={<LinkButton to="/events">Clear filters</LinkButton>} />;
}

function None() {
  return (
    <Empty title="No events yet" action={<LinkButton to="/videos">View videos</LinkButton>}>
      Create or upload a video. Each step is recorded here as an event and delivered to the webhooks that are subscribed
      to its type.
    </Empty>
  );
}
