/** The filters for a list of deliveries. They are kept in the URL so that users can share a view. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { X } from "lucide-react";
import type { ReactNode } from "react";
import { eventTypesQuery, webhooksQuery } from "../api/queries.ts";
import { nowSeconds } from "../clock.ts";
import type { DeliverySearch } from "../shell/search-params.ts";
import { Button } from "../ui/button.tsx";
import { Select } from "../ui/field.tsx";
import { StateTabs, type Tab } from "../ui/tabs.tsx";
import { webhookName } from "./names.ts";

const STATES = [
  { label: "All", status: undefined },
  { label: "Pending", status: "pending" },
  { label: "Failed", status: "failed" },
  { label: "Succeeded", status: "succeeded" },
  { label: "Canceled", status: "canceled" },
];
const HOUR = 3_600;
const SPANS = [
  { label: "Last hour", seconds: HOUR },
  { label: "Last 24 hours", seconds: 24 * HOUR },
  { label: "Last 7 days", seconds: 168 * HOUR },
];
const RESPONSES = [
  { label: "2xx success", value: "2xx" },
  { label: "3xx redirect", value: "3xx" },
  { label: "4xx client error", value: "4xx" },
  { label: "5xx server error", value: "5xx" },
  { label: "No response", value: "none" },
];

export function stateTabs(search: DeliverySearch, to: "/deliveries", pending?: number): Tab[];
export function stateTabs(search: DeliverySearch, to: "/webhooks/$id", pending: number | undefined, id: string): Tab[];
export function stateTabs(
  search: DeliverySearch,
  to: "/deliveries" | "/webhooks/$id",
  pending?: number,
  id?: string,
): Tab[] {
  return STATES.map(({ label, status }) => {
    const { status: _, ...others } = search;
    const next = status === undefined ? others : { ...others, status };
    const address = to === "/deliveries" ? { to, search: next } : { to, params: { id: id ?? "" }, search: next };
    return {
      label,
      count: status === "pending" ? pending : undefined,
      active: search.status === status,
      link: { ...address, replace: true },
    };
  });
}

export function DeliveryFilters({ search, pending }: { search: DeliverySearch; pending: number | undefined }) {
  const { data: types } = useQuery(eventTypesQuery);
  const { data: webhooks } = useQuery(webhooksQuery);
  const set = useSetFilter(search);
  return (
    <div className="gutter flex flex-col gap-3 pb-4">
      <StateTabs label="Status" tabs={stateTabs(search, "/deliveries", pending)} />
      <div className="grid grid-cols-2 gap-2 mid:flex mid:flex-wrap">
        <Choice label="Event" all="All events" value={search.type} onChange={(type) => set({ type })}>
          {types?.data.map(({ type }) => (
            <option key={type}>{type}</option>
          ))}
        </Choice>
        <Choice label="Webhook" all="All webhooks" value={search.webhook} onChange={(webhook) => set({ webhook })}>
          {webhooks?.data.map((webhook) => (
            <option key={webhook.id} value={webhook.id}>
              {webhookName(webhook)}
            </option>
          ))}
        </Choice>
        <Choice label="Response" all="All responses" value={search.response} onChange={(response) => set({ response })}>
          {RESPONSES.map(({ label, value }) => (
            <option key={value} value={value}>
              {label}
            </option>
          ))}
        </Choice>
        <TimeChoice search={search} set={set} />
      </div>
      <Chips search={search} set={set} />
    </div>
  );
}

type SetFilter = (change: { [K in keyof DeliverySearch]?: DeliverySearch[K] | undefined }) => void;

function useSetFilter(search: DeliverySearch): SetFilter {
  const navigate = useNavigate();
  return (change) => {
    const kept = Object.entries({ ...search, ...change }).filter(([, value]) => value !== undefined);
    void navigate({ to: "/deliveries", search: Object.fromEntries(kept) as DeliverySearch, replace: true });
  };
}

interface ChoiceProps {
  label: string;
  all: string;
  value: string | undefined;
  onChange: (value: string | undefined) => void;
  children: ReactNode;
}

function Choice({ label, all, value, onChange, children }: ChoiceProps) {
  return (
    <div className="min-w-0 mid:w-40 wide:w-44">
      <Select
        label={label}
        hideLabel
        value={value ?? ""}
        onChange={(event) => onChange(event.target.value || undefined)}
      >
        <option value="">{all}</option>
        {children}
      </Select>
    </div>
  );
}

function TimeChoice({ search, set }: { search: DeliverySearch; set: SetFilter }) {
  const age = search.since === undefined ? undefined : nowSeconds() - search.since;
  const near = SPANS.find(({ seconds }) => age !== undefined && Math.abs(age - seconds) < HOUR / 2);
  const choose = (label: string | undefined) => {
    const span = SPANS.find((one) => one.label === label);
    set({ since: span && nowSeconds() - span.seconds, until: undefined });
  };
  const value = near?.label ?? (age === undefined ? undefined : "custom");
  return (
    <Choice label="Time" all="Any time" value={value} onChange={choose}>
      {SPANS.map(({ label }) => (
        <option key={label}>{label}</option>
      ))}
      {value === "custom" && <option value="custom">Custom range</option>}
    </Choice>
  );
}

/** Shows the filters that only a link can set (video and event), and a button that clears all filters. */
function Chips({ search, set }: { search: DeliverySearch; set: SetFilter }) {
  const { status: _, ...filters } = search;
  if (Object.keys(filters).length === 0) return null;
  const nothing = Object.fromEntries(Object.keys(search).map((name) => [name, undefined]));
  return (
    <div className="flex flex-wrap items-center gap-2">
      {(["video", "event"] as const).map((name) => {
        const id = search[name];
        return (
          id && (
            <Button
              key={name}
              size="sm"
              icon={X}
              aria-label={`Remove filter: ${name} ${id}`}
              onClick={() => set({ [name]: undefined })}
            >
              <span>
                {name === "video" ? "Video" : "Event"} <span className="font-mono text-code">{id}</span>
              </span>
            </Button>
          )
        );
      })}
      <Button size="sm" look="quiet" onClick={() => set(nothing)}>
        Clear filters
      </Button>
    </div>
  );
}
