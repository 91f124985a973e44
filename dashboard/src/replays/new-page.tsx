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
        Events keep their ids, so a receiver can ignore those it knows. Nothing is sent before you have seen the count.
      </PageHead>
      <div className="gutter pb-10">
        <Form />
      </div>
    </>
  );
}

/** First it counts; a change of any field asks for a new count. */
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
  const count = useMutation({ mutationFn: () => api.post<Replay>("/v1/replays", { ...bodyOf(draft), dry_run: true }) });
  const start = useMutation({
    mutationFn: () => api.post<Replay>("/v1/replays", bodyOf(draft)),
    onSuccess: ({ id }) => navigate({ to: "/replays/$id", params: { id: id ?? "" } }),
  });
  const set = (change: Partial<ReplayDraft>) => {
    setDraft({ ...draft, ...change });
    count.reset();
  };
  const error = start.error ?? count.error;
  const bad = (name: string) => (error instanceof ApiError ? error.field(name) : undefined);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (count.data) start.mutate();
    else count.mutate();
  };
  const total = count.data?.total;
  return (
    <form onSubmit={submit} noValidate>
      <ReplayFields draft={draft} set={set} bad={bad}>
        {count.data && <Counted replay={count.data} />}
        <ErrorLine error={error} />
        <div className="flex flex-wrap gap-2">
          {total === undefined ? (
            <Button type="submit" look="ink" busy={count.isPending} disabled={draft.webhook === ""}>
              Count
            </Button>
          ) : (
            <Button type="submit" look="ink" icon={History} busy={start.isPending} disabled={total === 0}>
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

function Counted({ replay }: { replay: Replay }) {
  const { total, first, last } = replay;
  const now = nowSeconds();
  return (
    <div role="status" className="rounded-control bg-sunken p-3 text-read shadow-[inset_0_0_0_1px_var(--line)] numbers">
      <p className="font-medium">{total === 0 ? "No event matches." : size(replay)}</p>
      {first !== null && last !== null && (
        <p className="text-text-2">
          The first happened {moment(first, now)}, the last {moment(last, now)}.
        </p>
      )}
    </div>
  );
}
