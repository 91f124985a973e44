import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { replaysQuery } from "../api/queries.ts";
import type { Replay } from "../api/types.ts";
import { useAging } from "../clock.ts";
import { useWebhookNames } from "../deliveries/names.ts";
import { LinkButton } from "../ui/button.tsx";
import { PageHead } from "../ui/page.tsx";
import { Progress } from "../ui/progress.tsx";
import { Empty, ErrorState, SkeletonRows } from "../ui/states.tsx";
import { Status } from "../ui/status.tsx";
import { Ago } from "../ui/time.tsx";
import { progress, replayState, timeRange } from "./replay-text.ts";

const POLL_MS = 2_000;

export function ReplaysPage() {
  const { data, error, isPending, refetch } = useQuery({
    ...replaysQuery,
    refetchInterval: (query) => (query.state.data?.data.some(({ status }) => status === "running") ? POLL_MS : false),
  });
  return (
    <>
      <PageHead
        title="Replays"
        actions={
          <LinkButton look="ink" icon={Plus} to="/replays/new">
            Create replay
          </LinkButton>
        }
      >
        Send past events again, in order and in parallel with new events.
      </PageHead>
      {error ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : isPending ? (
        <SkeletonRows height="h-16" />
      ) : data.data.length === 0 ? (
        <None />
      ) : (
        <Rows replays={data.data} />
      )}
    </>
  );
}

function Rows({ replays }: { replays: Replay[] }) {
  const webhookNames = useWebhookNames();
  return (
    <ul className="border-t border-line">
      {replays.map((replay) => (
        <li
          key={replay.id}
          className="gutter relative grid grid-cols-[minmax(0,1fr)_auto] gap-x-6 gap-y-1 border-b border-line py-3 hover:bg-hover mid:grid-cols-[minmax(0,1fr)_120px_200px_128px] mid:items-center"
        >
          <div className="min-w-0">
            <Link
              to="/replays/$id"
              params={{ id: replay.id ?? "" }}
              data-row
              className="stretched block truncate font-medium"
            >
              {webhookNames(replay.webhook) ?? replay.webhook}
            </Link>
            <Range replay={replay} />
          </div>
          <Status state={replayState(replay)} />
          <div className="min-w-24 text-right mid:text-left">
            <p className="text-text-2 numbers [&+*]:mt-1.5">{progress(replay)}</p>
            {replay.status === "running" && <Progress label="Progress" done={replay.done} total={replay.total} />}
          </div>
          <span className="col-start-2 row-start-1 text-right text-text-2 mid:col-start-auto mid:row-start-auto">
            <Ago at={replay.created} />
          </span>
        </li>
      ))}
    </ul>
  );
}

function Range({ replay }: { replay: Replay }) {
  const range = useAging((now) => timeRange(replay, now));
  return <span className="block truncate text-text-2 numbers">{range}</span>;
}

function None() {
  return (
    <Empty title="No replays yet" action={<LinkButton to="/replays/new">Preview a replay</LinkButton>}>
      If a receiver has lost events, or needs events from before its webhook existed, choose a webhook and a time range.
      Mave previews the events before it sends them. Event IDs stay the same, so the receiver can ignore duplicates.
    </Empty>
  );
}
