import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { eventTypesQuery, webhooksQuery } from "../api/queries.ts";
import { webhookName } from "../deliveries/names.ts";
import { Checkbox, Select, TextField } from "../ui/field.tsx";

export interface ReplayDraft {
  webhook: string;
  /** As the browser's field has them: local, to the minute. */
  since: string;
  until: string;
  statuses: string[];
  /** None: those that the webhook has chosen. */
  types: string[];
  video: string;
  rate: string;
}

const STATUSES = [
  { status: "failed", word: "Failed for good", hint: "All attempts were made." },
  { status: "canceled", word: "Canceled", hint: "Its webhook was deleted, or it was skipped." },
  { status: "never", word: "Never sent", hint: "The webhook did not exist then, or had not chosen the type." },
  { status: "succeeded", word: "Succeeded", hint: "The receiver answered 2xx, and gets it once more." },
];

/** 2026-11-23T14:03, the form that a date field takes. */
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
  bad: (name: string) => string | undefined;
  children: ReactNode;
}

export function ReplayFields({ draft, set, bad, children }: FieldsProps) {
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
        error={bad("webhook")}
        onChange={({ target }) => set({ webhook: target.value })}
      >
        <option value="">Choose one</option>
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
          error={bad("since")}
          onChange={({ target }) => set({ since: target.value })}
        />
        <TextField
          label="Until"
          type="datetime-local"
          value={draft.until}
          error={bad("until")}
          onChange={({ target }) => set({ until: target.value })}
        />
      </div>
      <fieldset>
        <legend className="mb-1 font-medium">Events whose delivery</legend>
        {STATUSES.map(({ status, word, hint }) => (
          <Checkbox
            key={status}
            label={word}
            hint={hint}
            checked={draft.statuses.includes(status)}
            onChange={() => toggle(status)}
          />
        ))}
        {bad("statuses") && <p className="text-bad">{bad("statuses")}</p>}
      </fieldset>
      <TextField
        label="Events per second at most"
        hint="Empty: as fast as the receiver answers, which live traffic may feel."
        inputMode="numeric"
        className="max-w-32"
        value={draft.rate}
        error={bad("rate")}
        onChange={({ target }) => set({ rate: target.value.replace(/\D/g, "") })}
      />
      <Narrower draft={draft} set={set} bad={bad} />
      {children}
    </div>
  );
}

/** One video, or some types only: folded, since most replays want all. */
function Narrower({ draft, set, bad }: Omit<FieldsProps, "children">) {
  const { data: types } = useQuery(eventTypesQuery);
  const toggle = (type: string) =>
    set({ types: draft.types.includes(type) ? draft.types.filter((one) => one !== type) : [...draft.types, type] });
  return (
    <details>
      <summary className="w-fit rounded-tag text-text-2 hover:text-text">Only some types, or one video</summary>
      <div className="mt-4 flex flex-col gap-5">
        <fieldset>
          <legend className="mb-1 font-medium">Types</legend>
          <p className="mb-1 text-text-2">None ticked: those that the webhook has chosen.</p>
          {types?.data.map(({ type }) => (
            <Checkbox
              key={type}
              label={<span className="font-mono text-code">{type}</span>}
              checked={draft.types.includes(type)}
              onChange={() => toggle(type)}
            />
          ))}
          {bad("types") && <p className="text-bad">{bad("types")}</p>}
        </fieldset>
        <TextField
          label="Video"
          mono
          placeholder="Its id"
          className="max-w-48"
          value={draft.video}
          error={bad("video")}
          onChange={({ target }) => set({ video: target.value })}
        />
      </div>
    </details>
  );
}
