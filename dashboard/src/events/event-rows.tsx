import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api } from "../api/client.ts";
import type { Delivery, List, MaveEvent } from "../api/types.ts";
import { number } from "../format.ts";
import type { LiveList } from "../live/live-list.ts";
import { HeldPill } from "../live/live-mark.tsx";
import { useIsNarrow } from "../shell/pane.ts";
import { Button } from "../ui/button.tsx";
import { classes } from "../ui/classes.ts";
import { ErrorState, SkeletonRows } from "../ui/states.tsx";
import { deliveryState, Status } from "../ui/status.tsx";
import { Ago } from "../ui/time.tsx";
import { subjectName } from "./subject.ts";

export function EventRows({ list, empty }: { list: LiveList<MaveEvent>; empty: React.ReactNode }) {
  const narrow = useIsNarrow();
  if (list.error) return <ErrorState error={list.error} retry={list.retry} />;
  if (list.loading) return <SkeletonRows />;
  return (
    <div ref={list.ref}>
      <HeldPill list={list} />
      {list.rows.length === 0 ? empty : narrow ? <Lines rows={list.rows} /> : <Table rows={list.rows} />}
      {list.older.exist && (
        <div className="gutter py-4">
          <Button busy={list.older.busy} onClick={list.older.load}>
            Show older ones
          </Button>
        </div>
      )}
    </div>
  );
}

const head = "h-9 px-3 text-left text-meta font-normal text-text-3 first:pl-8 last:pr-8";
const cell = "h-11 truncate px-3 first:pl-8 last:pr-8";

function Table({ rows }: { rows: MaveEvent[] }) {
  const deliveriesOf = useDeliveriesByEvent();
  return (
    <table className="w-full table-fixed border-collapse">
      <thead>
        <tr className="border-b border-line">
          <th className={classes(head, "w-48")}>Event</th>
          <th className={head}>About</th>
          <th className={classes(head, "hidden w-28 wide:table-cell")}>In its video</th>
          <th className={classes(head, "w-56")}>Deliveries</th>
          <th className={classes(head, "w-36 text-right!")}>Happened</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((event) => (
          <tr
            key={event.id}
            className="relative border-b border-line hover:bg-hover has-[[data-row]:focus-visible]:bg-hover"
          >
            <td className={classes(cell, "font-mono text-code")}>
              <Link to="/events/$id" params={{ id: event.id }} data-row className="stretched">
                {event.type}
              </Link>
            </td>
            <td className={cell}>{subjectName(event)}</td>
            <td className={classes(cell, "hidden text-text-2 numbers wide:table-cell")}>
              {event.sequence > 0 ? `no. ${event.sequence}` : "–"}
            </td>
            <td className={cell}>
              <Outcome deliveries={deliveriesOf(event)} />
            </td>
            <td className={classes(cell, "text-right text-text-2")}>
              <Ago at={event.created} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Lines({ rows }: { rows: MaveEvent[] }) {
  return (
    <ul className="border-t border-line">
      {rows.map((event) => (
        <li
          key={event.id}
          className="gutter relative border-b border-line py-2.5 has-[[data-row]:focus-visible]:bg-hover"
        >
          <div className="flex justify-between gap-3">
            <Link to="/events/$id" params={{ id: event.id }} data-row className="stretched font-mono text-code">
              {event.type}
            </Link>
            <span className="text-text-2">
              <Ago at={event.created} />
            </span>
          </div>
          <p className="mt-0.5 truncate text-text-2">{subjectName(event)}</p>
        </li>
      ))}
    </ul>
  );
}

/** How the newest deliveries went, by event: one request for all rows. undefined for an event older than those. */
function useDeliveriesByEvent(): (event: MaveEvent) => Delivery[] | undefined {
  const { data } = useQuery({
    queryKey: ["delivery", "fresh", "by-event"],
    queryFn: ({ signal }) => api.get<List<Delivery>>("/v1/deliveries", { limit: 100 }, signal),
  });
  const byEvent = Map.groupBy(data?.data ?? [], ({ event }) => event);
  const oldest = data?.has_more ? (data.data.at(-1)?.created ?? 0) : -1;
  return ({ id, created }) => byEvent.get(id) ?? (data && created > oldest ? [] : undefined);
}

const WORST_FIRST = ["failed", "retrying", "sending", "waiting", "held", "canceled", "succeeded"] as const;

function Outcome({ deliveries }: { deliveries: Delivery[] | undefined }) {
  if (deliveries === undefined) return null;
  const worst = WORST_FIRST.find((status) => deliveries.some((delivery) => delivery.status === status));
  if (worst === undefined) return <span className="text-text-3">No webhook chose it</span>;
  const same = deliveries.filter(({ status }) => status === worst).length;
  const state = deliveryState(worst);
  const all = deliveries.length;
  const count = same === all ? number(all) : `${number(same)} of ${number(all)}`;
  const word = all === 1 ? state.word : `${count} ${state.word.toLowerCase()}`;
  return <Status state={{ ...state, word }} />;
}
