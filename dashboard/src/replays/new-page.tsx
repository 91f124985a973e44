import { useMutation } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { History } from "lucide-react";
import { type FormEvent, useState } from "react";
import { ApiError, api } from "../api/client.ts";
import type { Replay } from "../api/types.ts";
import { nowSeconds } from "../clock.ts";
import { moment, plural } from "../format.ts";
import { Button, LinkButton } from "../ui/button.tsx";
import { Crumbs, PageHead } from "../ui/page.tsx";
import { ErrorLine } from "../ui/states.tsx";
import { bodyOf, fieldTime, type ReplayDraft, ReplayFields } from "./replay-form.tsx";
import { size } from "./replay-text.ts";

const route = getRouteApi("/app/replays/new");
const DAY = 86_400;

export function NewReplayPage() {
  return (
    <>
      <Crumbs to="/replays" parent="Replays">
        New replay
      </Crumbs>
      <PageHead title="New replay">
        Event IDs stay the same, so the receiver can ignore duplicates. Nothing is sent until you confirm the preview.
      </PageHead>
      <div className="gutter pb-10">
        <Form />
      </div>
    </>
  );
}

/** Shows the form and the preview. Changing a field discards the preview. */
function Form() {
  const { webhook = "", since, until } = route.useSearch();
  const navigate = useNavigate();
  const [draft, setDraft] = useState<ReplayDraft>(() => ({
    webhook,
    since: fieldTime(since ?? nowSeconds() - DAY),
    until: fieldTime(until ?? nowSeconds() + 60),
    statuses: ["failed", "canceled", "never"],
    types: [],
    video: "",
    rate: "50",
  }));
  const preview = useMutation({
    mutationFn: () => api.post<Replay>("/v1/replays", { ...bodyOf(draft), dry_run: true }),
  });
  const start = useMutation({
    mutationFn: () => api.post<Replay>("/v1/replays", bodyOf(draft)),
    onSuccess: ({ id }) => navigate({ to: "/replays/$id", params: { id: id ?? "" } }),
  });
  const set = (change: Partial<ReplayDraft>) => {
    setDraft({ ...draft, ...change });
    preview.reset();
  };
  const error = start.error ?? preview.error;
  const errorOf = (name: string) => (error instanceof ApiError ? error.field(name) : undefined);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (preview.data?.total) start.mutate();
    else preview.mutate();
  };
  const total = preview.data?.total;
  return (
    <form onSubmit={submit} noValidate>
      <ReplayFields draft={draft} set={set} errorOf={errorOf}>
        {preview.data && <Preview replay={preview.data} />}
        <ErrorLine error={error} />
        <div className="flex flex-wrap gap-2">
          {!total ? (
            <Button type="submit" look="ink" busy={preview.isPending} disabled={draft.webhook === ""}>
              Preview
            </Button>
          ) : (
            <Button type="submit" look="ink" icon={History} busy={start.isPending}>
              Send {plural(total, "event")}
            </Button>
          )}
          <LinkButton to="/replays" look="quiet">
            Cancel
          </LinkButton>
        </div>
      </ReplayFields>
    </form>
  );
}

function Preview({ replay }: { replay: Replay }) {
  const { total, first, last } = replay;
  const now = nowSeconds();
  return (
    <div role="status" className="rounded-control bg-sunken p-3 text-read shadow-[inset_0_0_0_1px_var(--line)] numbers">
      <p className="font-medium">{total === 0 ? "No events match." : size(replay)}</p>
      {first !== null && last !== null && (
        <p className="text-text-2">
          First event {moment(first, now)}, last event {moment(last, now)}
        </p>
      )}
    </div>
  );
}
