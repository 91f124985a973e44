import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { CircleSlash2, Pause, Play } from "lucide-react";
import { useState } from "react";
import { api } from "../api/client.ts";
import type { Replay } from "../api/types.ts";
import { useAging } from "../clock.ts";
import { useWebhookNames } from "../deliveries/names.ts";
import { moment, number, plural, span } from "../format.ts";
import { Button, LinkButton } from "../ui/button.tsx";
import { Confirm } from "../ui/dialog.tsx";
import { Crumbs, Fact, Facts, PageHead } from "../ui/page.tsx";
import { Progress } from "../ui/progress.tsx";
import { ErrorLine, ErrorState, SkeletonRows } from "../ui/states.tsx";
import { Badge } from "../ui/status.tsx";
import { When } from "../ui/time.tsx";
import { cancelText, progress, replayState, selection, timeRange } from "./replay-text.ts";

const route = getRouteApi("/app/replays/$id");
const POLL_MS = 1_000;
const UNFINISHED = new Set(["running", "paused"]);

export function ReplayPage() {
  const { id } = route.useParams();
  const { data, error, refetch } = useQuery({
    queryKey: ["replay", "one", id],
    queryFn: ({ signal }) => api.get<Replay>(`/v1/replays/${id}`, {}, signal),
    refetchInterval: (query) => (query.state.data?.status === "running" ? POLL_MS : false),
  });
  if (error && !data) return <ErrorState error={error} retry={() => void refetch()} />;
  return data ? <Detail key={id} id={id} replay={data} /> : <SkeletonRows rows={4} />;
}

function Detail({ id, replay }: { id: string; replay: Replay }) {
  const webhookNames = useWebhookNames();
  const name = webhookNames(replay.webhook) ?? "a deleted webhook";
  return (
    <>
      <Crumbs to="/replays" parent="Replays">
        <span className="font-mono text-code">{id}</span>
      </Crumbs>
      <PageHead
        title={`Replay to ${name}`}
        badge={<Badge state={replayState(replay)} />}
        actions={<Actions id={id} replay={replay} />}
      >
        {selection(replay)}
      </PageHead>
      <div className="gutter flex max-w-[calc(640px+64px)] flex-col gap-6 pb-10">
        <div>
          <p className="mb-2 flex justify-between gap-4 numbers">
            <span className="text-dialog font-semibold">{progress(replay)}</span>
            <span className="text-text-2">{remaining(replay)}</span>
          </p>
          <Progress label="Events processed" done={replay.done} total={replay.total} />
        </div>
        <ReplayFacts replay={replay} name={name} />
      </div>
    </>
  );
}

function remaining({ status, total, done, rate }: Replay): string {
  if (status === "canceled") return `${number(total - done)} not sent`;
  if (status !== "running" || rate === null) return "";
  return `about ${span(Math.ceil((total - done) / rate))} left`;
}

function ReplayFacts({ replay, name }: { replay: Replay; name: string }) {
  const { webhook, rate, created, finished, since, until } = replay;
  const range = useAging((now) => timeRange(replay, now));
  const createdAt = useAging((now) => moment(created, now));
  const finishedAt = useAging((now) => (finished === null ? "" : moment(finished, now)));
  return (
    <Facts>
      <Fact name="Webhook">
        <Link to="/webhooks/$id" params={{ id: webhook }} className="rounded-tag text-accent hover:underline">
          {name}
        </Link>
      </Fact>
      <Fact name="Time range">{range}</Fact>
      <Fact name="Rate limit">{rate === null ? "No limit" : `${plural(rate, "event")} per second`}</Fact>
      <Fact name="Created">
        <When at={created}>{createdAt}</When>
      </Fact>
      <Fact name="Finished">{finished === null ? "–" : <When at={finished}>{finishedAt}</When>}</Fact>
      <Fact name="Deliveries">
        <Link to="/deliveries" search={{ webhook, since, until }} className="rounded-tag text-accent hover:underline">
          View deliveries in this time range
        </Link>
      </Fact>
    </Facts>
  );
}

function Actions({ id, replay }: { id: string; replay: Replay }) {
  const [asking, setAsking] = useState(false);
  const queries = useQueryClient();
  const refresh = () => queries.invalidateQueries({ queryKey: ["replay"] });
  const steer = useMutation({
    mutationFn: (status: "running" | "paused") => api.patch(`/v1/replays/${id}`, { status }),
    onSettled: refresh,
  });
  const cancel = useMutation({ mutationFn: () => api.delete(`/v1/replays/${id}`), onSettled: refresh });
  if (!UNFINISHED.has(replay.status)) {
    return (
      <LinkButton to="/replays/new" search={{ webhook: replay.webhook, since: replay.since, until: replay.until }}>
        Replay again
      </LinkButton>
    );
  }
  const running = replay.status === "running";
  return (
    <>
      <Button
        icon={running ? Pause : Play}
        busy={steer.isPending}
        onClick={() => steer.mutate(running ? "paused" : "running")}
      >
        {running ? "Pause" : "Resume"}
      </Button>
      <Button icon={CircleSlash2} onClick={() => setAsking(true)}>
        Cancel replay
      </Button>
      <ErrorLine error={steer.error} />
      <Confirm
        open={asking}
        onClose={() => setAsking(false)}
        title="Cancel replay?"
        verb="Cancel replay"
        stay="Keep replay"
        loss
        busy={cancel.isPending}
        error={cancel.error}
        onConfirm={() => cancel.mutate(undefined, { onSuccess: () => setAsking(false) })}
      >
        {cancelText(replay)}
      </Confirm>
    </>
  );
}
