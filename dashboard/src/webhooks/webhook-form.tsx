/** The form of a webhook, for registering and for editing. */
import { useQuery } from "@tanstack/react-query";
import { Plus, X } from "lucide-react";
import { type FormEvent, type ReactNode, useState } from "react";
import { ApiError } from "../api/client.ts";
import { eventTypesQuery } from "../api/queries.ts";
import type { Webhook } from "../api/types.ts";
import { Button, IconButton } from "../ui/button.tsx";
import { Checkbox, TextField } from "../ui/field.tsx";
import { ErrorLine } from "../ui/states.tsx";
import { EventPicker } from "./event-picker.tsx";

export interface WebhookBody {
  url: string;
  description: string | null;
  events: string[];
  ordering: "video" | "none";
  rate_limit: number | null;
  headers?: Record<string, string>;
}

interface HeaderLine {
  name: string;
  value: string;
}
interface Draft {
  url: string;
  description: string;
  events: string[];
  inOrder: boolean;
  rate: string;
  /** undefined: as they are. */
  headers: HeaderLine[] | undefined;
}

const begin = (webhook: Webhook | undefined, core: string[]): Draft => ({
  url: webhook?.url ?? "",
  description: webhook?.description ?? "",
  events: webhook?.events ?? core,
  inOrder: webhook?.ordering !== "none",
  rate: webhook?.rate_limit?.toString() ?? "",
  headers: webhook && Object.keys(webhook.headers).length > 0 ? undefined : [],
});

function bodyOf(draft: Draft): WebhookBody {
  const headers = draft.headers?.filter(({ name }) => name.trim() !== "");
  return {
    url: draft.url.trim(),
    description: draft.description.trim() || null,
    events: draft.events,
    ordering: draft.inOrder ? "video" : "none",
    rate_limit: draft.rate.trim() === "" ? null : Number(draft.rate),
    ...(headers && { headers: Object.fromEntries(headers.map(({ name, value }) => [name.trim(), value])) }),
  };
}

interface FormProps {
  webhook?: Webhook;
  verb: string;
  busy: boolean;
  error: unknown;
  onSubmit: (body: WebhookBody) => void;
  /** Buttons beside the verb. */
  children?: ReactNode;
}

export function WebhookForm({ webhook, ...props }: FormProps) {
  const { data: types } = useQuery(eventTypesQuery);
  if (types === undefined) return null;
  const core = types.data.filter((type) => type.core).map(({ type }) => type);
  return <Fields {...props} start={begin(webhook, core)} kept={Object.keys(webhook?.headers ?? {})} />;
}

function Fields({
  start,
  kept,
  verb,
  busy,
  error,
  onSubmit,
  children,
}: Omit<FormProps, "webhook"> & { start: Draft; kept: string[] }) {
  const [draft, setDraft] = useState(start);
  const set = (change: Partial<Draft>) => setDraft({ ...draft, ...change });
  const bad = (name: string) => (error instanceof ApiError ? error.field(name) : undefined);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!busy) onSubmit(bodyOf(draft));
  };
  return (
    <form onSubmit={submit} noValidate className="flex max-w-[640px] flex-col gap-6">
      <TextField
        label="URL"
        mono
        inputMode="url"
        autoComplete="off"
        spellCheck={false}
        placeholder="https://example.com/webhooks"
        hint="Mave sends a POST with the event here, and expects 2xx within 15 s."
        value={draft.url}
        error={bad("url")}
        onChange={(event) => set({ url: event.target.value })}
      />
      <TextField
        label="Name"
        hint="What your team calls it. Optional."
        maxLength={200}
        value={draft.description}
        error={bad("description")}
        onChange={(event) => set({ description: event.target.value })}
      />
      <EventPicker chosen={draft.events} error={bad("events")} onChange={(events) => set({ events })} />
      <More draft={draft} set={set} bad={bad} kept={kept} />
      <ErrorLine error={error} />
      <div className="flex flex-wrap gap-2">
        <Button type="submit" look="ink" busy={busy}>
          {verb}
        </Button>
        {children}
      </div>
    </form>
  );
}

interface MoreProps {
  draft: Draft;
  set: (change: Partial<Draft>) => void;
  bad: (name: string) => string | undefined;
  kept: string[];
}

/** What few need: folded, unless it is in use. */
function More({ draft, set, bad, kept }: MoreProps) {
  const used = !draft.inOrder || draft.rate !== "" || kept.length > 0;
  return (
    <details open={used || undefined}>
      <summary className="w-fit rounded-tag font-medium text-text-2 hover:text-text">Order, pace and headers</summary>
      <div className="mt-4 flex flex-col gap-5">
        <Checkbox
          label="Keep the order of each video's events"
          hint="A later event waits until the earlier one has succeeded or failed for good. Other videos never wait."
          checked={draft.inOrder}
          onChange={(event) => set({ inOrder: event.target.checked })}
        />
        <TextField
          label="Deliveries per second at most"
          hint="Empty: no limit; Mave follows the receiver's own pace."
          inputMode="numeric"
          className="max-w-32"
          value={draft.rate}
          error={bad("rate_limit")}
          onChange={(event) => set({ rate: event.target.value.replace(/\D/g, "") })}
        />
        <Headers lines={draft.headers} kept={kept} error={bad("headers")} onChange={(headers) => set({ headers })} />
      </div>
    </details>
  );
}

interface HeadersProps {
  lines: HeaderLine[] | undefined;
  kept: string[];
  error: string | undefined;
  onChange: (lines: HeaderLine[]) => void;
}

function Headers({ lines, kept, error, onChange }: HeadersProps) {
  if (lines === undefined) {
    return (
      <div>
        <p className="font-medium">Headers sent along</p>
        <p className="mt-1 font-mono text-code">{kept.join(", ")}</p>
        <p className="mt-1 text-text-2">Their values are sealed and not shown.</p>
        <Button className="mt-2" onClick={() => onChange(kept.map((name) => ({ name, value: "" })))}>
          Replace all headers
        </Button>
      </div>
    );
  }
  const put = (at: number, line: HeaderLine) => onChange(lines.map((one, index) => (index === at ? line : one)));
  return (
    <fieldset className="flex flex-col gap-2">
      <legend className="font-medium">Headers sent along</legend>
      <p className="text-text-2">For example an Authorization that your gateway asks for. Values are stored sealed.</p>
      {lines.map((line, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line is its place in the list
        <div key={at} className="grid grid-cols-[minmax(0,1fr)_minmax(0,2fr)_auto] items-center gap-2">
          <TextField
            label="Name"
            hideLabel
            mono
            placeholder="Name"
            value={line.name}
            onChange={(event) => put(at, { ...line, name: event.target.value })}
          />
          <TextField
            label="Value"
            hideLabel
            mono
            placeholder="Value"
            value={line.value}
            onChange={(event) => put(at, { ...line, value: event.target.value })}
          />
          <IconButton
            icon={X}
            label={`Remove the header ${line.name}`}
            onClick={() => onChange(lines.filter((_, index) => index !== at))}
          />
        </div>
      ))}
      {error && <p className="text-bad">{error}</p>}
      <Button icon={Plus} className="w-fit" onClick={() => onChange([...lines, { name: "", value: "" }])}>
        Add a header
      </Button>
    </fieldset>
  );
}
