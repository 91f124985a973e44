import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { eventTypesQuery, webhooksQuery } from "../api/queries.ts";
import { webhookName } from "../deliveries/names.ts";
import { Checkbox, Select, TextField } from "../ui/field.tsx";

export interface ReplayDraft {
  webhook: string;
  /** `since` and `until` are values of datetime-local fields. */
  since: string;
  until: string;
  statuses: string[];
  /** Empty to include all event types that the webhook is subscribed to. */
  types: string[];
  video: string;
  rate: string;
}

const STATUSES = [
  { status: "failed", label: "Failed", hint: "No automatic retries are left." },
  { status: "canceled", label: "Canceled", hint: "The delivery was canceled or skipped." },
  {
    status: "never",
    label: "Never sent",
    hint: "The webhook did not exist yet or was not subscribed to the event type.",
  },
  { status: "succeeded", label: "Succeeded", hint: "The receiver will get the event a second time." },
];

/** Formats a time as the value of a datetime-local field, in local time: 2026-11-23T14:03. */
export function fieldTime(unix: number): string {
  const at = new Date(unix * 1_000);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
export const unixTime = (field: string): number => Math.floor(new Date(field).getTime() / 1_000);

export const bodyOf = ({ webhook, since, until, statuses, types, video, rate }: ReplayDraft) => ({
  webhook,
  since: unixTime(since),
  until: unixTime(until),
  ...(statuses.length < STATUSES.length && { statuses }),
  ...(types.length > 0 && { types }),
  ...(video.trim() !== "" && { video: video.trim() }),
  rate: rate === "" ? null : Number(rate),
});

interface FieldsProps {
  draft: ReplayDraft;
  set: (change: Partial<ReplayDraft>) => void;
  errorOf: (name: string) => string | undefined;
  children: ReactNode;
}

export function ReplayFields({ draft, set, errorOf, children }: FieldsProps) {
  const { data: webhooks } = useQuery(webhooksQuery);
  const toggle = (status: string) =>
    set({
      statuses: draft.statuses.includes(status)
        ? draft.statuses.filter((one) => one !== status)
        : [...draft.statuses, status],
    });
  return (
    <div className="flex max-w-[640px] flex-col gap-6">
      <Select
        label="Webhook"
        value={draft.webhook}
        error={errorOf("webhook")}
        onChange={({ target }) => set({ webhook: target.value })}
      >
        <option value="">Select a webhook</option>
        {webhooks?.data.map((webhook) => (
          <option key={webhook.id} value={webhook.id}>
            {webhookName(webhook)}
          </option>
        ))}
      </Select>
      <div className="grid gap-4 mid:grid-cols-2">
        <TextField
          label="From"
          type="datetime-local"
          value={draft.since}
          error={errorOf("since")}
          onChange={({ target }) => set({ since: target.value })}
        />
        <TextField
          label="To"
          type="datetime-local"
          value={draft.until}
          error={errorOf("until")}
          onChange={({ target }) => set({ until: target.value })}
        />
      </div>
      <fieldset>
        <legend className="mb-1 font-medium">Delivery status</legend>
        {STATUSES.map(({ status, label, hint }) => (
          <Checkbox
            key={status}
            label={label}
            hint={hint}
            checked={draft.statuses.includes(status)}
            onChange={() => toggle(status)}
          />
        ))}
        {errorOf("statuses") && <p className="text-bad">{errorOf("statuses")}</p>}
      </fieldset>
      <TextField
        label="Rate limit (events per second)"
        hint="Leave empty for no limit. A fast replay can slow live deliveries."
        inputMode="numeric"
        className="max-w-32"
        value={draft.rate}
        error={errorOf("rate")}
        onChange={({ target }) => set({ rate: target.value.replace(/\D/g, "") })}
      />
      <MoreFilters draft={draft} set={set} errorOf={errorOf} />
      {children}
    </div>
  );
}

/** Collapsed by default, because most replays include all event types and videos. */
function MoreFilters({ draft, set, errorOf }: Omit<FieldsProps, "children">) {
  const { data: types } = useQuery(eventTypesQuery);
  const toggle = (type: string) =>
    set({ types: draft.types.includes(type) ? draft.types.filter((one) => one !== type) : [...draft.types, type] });
  return (
    <details>
      <summary className="w-fit rounded-tag text-text-2 hover:text-text">Filter by event type or video</summary>
      <div className="mt-4 flex flex-col gap-5">
        <fieldset>
          <legend className="mb-1 font-medium">Event types</legend>
          <p className="mb-1 text-text-2">Select none to include all types that the webhook is subscribed to.</p>
          {types?.data.map(({ type }) => (
            <Checkbox
              key={type}
              label={<span className="font-mono text-code">{type}</span>}
              checked={draft.types.includes(type)}
              onChange={() => toggle(type)}
            />
          ))}
          {errorOf("types") && <p className="text-bad">{errorOf("types")}</p>}
        </fieldset>
        <TextField
          label="Video"
          mono
          placeholder="Video ID"
          className="max-w-48"
          value={draft.video}
          error={errorOf("video")}
          onChange={({ target }) => set({ video: target.value })}
        />
      </div>
    </details>
  );
}
