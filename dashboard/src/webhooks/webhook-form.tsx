/** The form for creating and editing a webhook. */
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
  /** Undefined to keep the stored headers. */
  headers: HeaderLine[] | undefined;
}

const draftOf = (webhook: Webhook | undefined, core: string[]): Draft => ({
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
  /** Buttons after the submit button. */
  children?: ReactNode;
}

export function WebhookForm({ webhook, ...props }: FormProps) {
  const { data: types } = useQuery(eventTypesQuery);
  if (types === undefined) return null;
  const core = types.data.filter((type) => type.core).map(({ type }) => type);
  return <Fields {...props} initial={draftOf(webhook, core)} kept={Object.keys(webhook?.headers ?? {})} />;
}

function Fields({
  initial,
  kept,
  verb,
  busy,
  error,
  onSubmit,
  children,
}: Omit<FormProps, "webhook"> & { initial: Draft; kept: string[] }) {
  const [draft, setDraft] = useState(initial);
  const set = (change: Partial<Draft>) => setDraft({ ...draft, ...change });
  const errorOf = (name: string) => (error instanceof ApiError ? error.field(name) : undefined);
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
        hint="Mave sends each event here as a POST request. Respond with 2xx within 15 s."
        value={draft.url}
        error={errorOf("url")}
        onChange={(event) => set({ url: event.target.value })}
      />
      <TextField
        label="Name"
        hint="Optional"
        maxLength={200}
        value={draft.description}
        error={errorOf("description")}
        onChange={(event) => set({ description: event.target.value })}
      />
      <EventPicker selected={draft.events} error={errorOf("events")} onChange={(events) => set({ events })} />
      <Advanced draft={draft} set={set} errorOf={errorOf} kept={kept} />
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

interface AdvancedProps {
  draft: Draft;
  set: (change: Partial<Draft>) => void;
  errorOf: (name: string) => string | undefined;
  kept: string[];
}

/** Settings that few webhooks need, collapsed unless one is in use. */
function Advanced({ draft, set, errorOf, kept }: AdvancedProps) {
  const used = !draft.inOrder || draft.rate !== "" || kept.length > 0;
  return (
    <details open={used || undefined}>
      <summary className="w-fit rounded-tag font-medium text-text-2 hover:text-text">Advanced settings</summary>
      <div className="mt-4 flex flex-col gap-5">
        <Checkbox
          label="Deliver events in order per video"
          hint="An event waits until the earlier events of its video have been delivered or have failed. Other videos do not wait."
          checked={draft.inOrder}
          onChange={(event) => set({ inOrder: event.target.checked })}
        />
        <TextField
          label="Rate limit (deliveries per second)"
          hint="Leave empty for no limit."
          inputMode="numeric"
          className="max-w-32"
          value={draft.rate}
          error={errorOf("rate_limit")}
          onChange={(event) => set({ rate: event.target.value.replace(/\D/g, "") })}
        />
        <Headers
          lines={draft.headers}
          kept={kept}
          error={errorOf("headers")}
          onChange={(headers) => set({ headers })}
        />
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
        <p className="font-medium">Custom headers</p>
        <p className="mt-1 font-mono text-code">{kept.join(", ")}</p>
        <p className="mt-1 text-text-2">Values are encrypted and not shown.</p>
        <Button className="mt-2" onClick={() => onChange(kept.map((name) => ({ name, value: "" })))}>
          Replace headers
        </Button>
      </div>
    );
  }
  const put = (at: number, line: HeaderLine) => onChange(lines.map((one, index) => (index === at ? line : one)));
  return (
    <fieldset className="flex flex-col gap-2">
      <legend className="font-medium">Custom headers</legend>
      <p className="text-text-2">For example, an Authorization header for your gateway. Values are stored encrypted.</p>
      {lines.map((line, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a line has no identity other than its position
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
            label={`Remove header ${line.name}`}
            onClick={() => onChange(lines.filter((_, index) => index !== at))}
          />
        </div>
      ))}
      {error && <p className="text-bad">{error}</p>}
      <Button icon={Plus} className="w-fit" onClick={() => onChange([...lines, { name: "", value: "" }])}>
        Add header
      </Button>
    </fieldset>
  );
}
