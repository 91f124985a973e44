import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { CircleCheck, TriangleAlert } from "lucide-react";
import { type FormEvent, type ReactNode, useState } from "react";
import { ApiError, api } from "../api/client.ts";
import { overviewQuery, sessionQuery } from "../api/queries.ts";
import type { Overview } from "../api/types.ts";
import { bytes, plural } from "../format.ts";
import { enableShortcuts, shortcutsEnabled } from "../shell/shortcuts.ts";
import { setTheme, type Theme, useTheme } from "../shell/theme.ts";
import { Button } from "../ui/button.tsx";
import { Checkbox, TextField } from "../ui/field.tsx";
import { Fact, Facts, PageHead } from "../ui/page.tsx";
import { ErrorLine, Skeleton } from "../ui/states.tsx";
import { toast } from "../ui/toast.ts";

export function SettingsPage() {
  return (
    <>
      <PageHead title="Settings" />
      <div className="border-t border-line">
        <Part title="Space" note="Visible to all members.">
          <SpaceName />
        </Part>
        <Part title="Appearance" note="On this device only.">
          <Appearance />
        </Part>
        <Part title="Keyboard" note="On this device only.">
          <Shortcuts />
        </Part>
        <Part title="Server" note="Set by environment variables; see docs/configuration.md.">
          <ServerFacts />
        </Part>
      </div>
    </>
  );
}

function Part({ title, note, children }: { title: string; note: string; children: ReactNode }) {
  return (
    <section className="gutter grid grid-cols-1 gap-x-10 gap-y-4 border-b border-line py-7 mid:grid-cols-[220px_minmax(0,640px)]">
      <div>
        <h2 className="font-semibold">{title}</h2>
        <p className="text-text-2">{note}</p>
      </div>
      <div className="min-w-0">{children}</div>
    </section>
  );
}

function SpaceName() {
  const queries = useQueryClient();
  const { data: session } = useQuery(sessionQuery);
  const rename = useMutation({
    mutationFn: (name: string) => api.patch("/v1/space", { name }),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: sessionQuery.queryKey });
      toast("Space name saved");
    },
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    rename.mutate(String(new FormData(event.currentTarget).get("name")).trim());
  };
  if (!session) return <Skeleton className="h-14 w-full" />;
  const nameError = rename.error instanceof ApiError ? rename.error.field("name") : undefined;
  return (
    <form onSubmit={submit} className="flex flex-col items-start gap-4">
      <div className="w-full max-w-80">
        <TextField
          key={session.space.name}
          label="Name"
          name="name"
          defaultValue={session.space.name}
          required
          maxLength={200}
          autoComplete="off"
          error={nameError}
        />
      </div>
      {!nameError && <ErrorLine error={rename.error} />}
      <Button type="submit" look="ink" busy={rename.isPending}>
        Save
      </Button>
    </form>
  );
}

const themes: [value: Theme, label: string][] = [
  ["system", "System"],
  ["light", "Light"],
  ["dark", "Dark"],
];

function Appearance() {
  const chosen = useTheme();
  return (
    <fieldset>
      <legend className="sr-only">Theme</legend>
      {themes.map(([value, label]) => (
        <Checkbox
          key={value}
          type="radio"
          name="theme"
          value={value}
          checked={chosen === value}
          onChange={() => setTheme(value)}
          label={label}
        />
      ))}
    </fieldset>
  );
}

function Shortcuts() {
  const [on, setOn] = useState(shortcutsEnabled);
  return (
    <Checkbox
      label="Keyboard shortcuts"
      hint="Short key sequences, such as G then V for Videos. Press ? to see all of them. ⌘K and Ctrl+K always work."
      checked={on}
      onChange={({ target }) => {
        enableShortcuts(target.checked);
        setOn(target.checked);
      }}
    />
  );
}

function ServerFacts() {
  const { data: overview, error } = useQuery(overviewQuery);
  if (!overview) return error ? <ErrorLine error={error} /> : <Skeleton className="h-40 w-full" />;
  const { version, public_url, ffmpeg, videos, limits } = overview;
  return (
    <Facts>
      <Fact name="Version">{version}</Fact>
      <Fact name="URL" mono>
        {public_url}
      </Fact>
      <Fact name="ffmpeg">
        <Ffmpeg ffmpeg={ffmpeg} />
      </Fact>
      <Fact name="Storage">
        {bytes(videos.bytes)} in {plural(videos.total, "video")}
      </Fact>
      <Fact name="Upload limit">{bytes(limits.upload_bytes)}</Fact>
      <Fact name="Retention">{plural(limits.retention_days, "day")} of events and deliveries</Fact>
    </Facts>
  );
}

function Ffmpeg({ ffmpeg: { available, version, hint } }: Pick<Overview, "ffmpeg">) {
  if (available)
    return (
      <span className="flex items-center gap-1.5">
        <CircleCheck size={14} className="shrink-0 text-mark-ok" aria-hidden />
        {version ?? "Installed"}
      </span>
    );
  return (
    <span className="flex gap-1.5 text-warn">
      <TriangleAlert size={14} className="mt-0.75 shrink-0" aria-hidden />
      <span className="min-w-0">Not found. {hint}</span>
    </span>
  );
}
