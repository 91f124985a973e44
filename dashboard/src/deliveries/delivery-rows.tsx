import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Delivery } from "../api/types.ts";
import { duration } from "../format.ts";
import { NewRowsButton } from "../live/live-indicator.tsx";
import type { LiveList } from "../live/live-list.ts";
import { Button } from "../ui/button.tsx";
import { classes } from "../ui/classes.ts";
import { Empty, ErrorState, SkeletonRows } from "../ui/states.tsx";
import { deliveryState, Status } from "../ui/status.tsx";
import { type Column, LoadMore, Table } from "../ui/table.tsx";
import { Ago } from "../ui/time.tsx";
import { responseCell } from "./delivery-text.ts";
import { useVideoNames, useWebhookNames } from "./names.ts";

interface RowsProps {
  list: LiveList<Delivery>;
  empty: ReactNode;
  /** The column to omit on a page about one webhook or one video. */
  without?: "webhook" | "video";
}

export function DeliveryRows({ list, empty, without }: RowsProps) {
  const columns = useColumns(list.rows, without);
  if (list.error) return <ErrorState error={list.error} retry={list.retry} />;
  if (list.loading) return <SkeletonRows />;
  return (
    <div ref={list.ref}>
      <NewRowsButton list={list} />
      {list.rows.length > 0 ? (
        <Table label="Deliveries, newest first" columns={columns} rows={list.rows} />
      ) : list.older.exist ? (
        <Searching older={list.older} />
      ) : (
        empty
      )}
      {list.older.exist && list.rows.length > 0 && <LoadMore busy={list.older.busy} onClick={list.older.load} />}
    </div>
  );
}

/** Shown until a matching delivery is found. Older pages load automatically until a request fails. */
function Searching({ older }: Pick<LiveList<Delivery>, "older">) {
  if (!older.failed)
    return (
      <p role="status" className="gutter py-10 text-read">
        No recent matches. Searching older deliveries…
      </p>
    );
  return (
    <Empty
      title="No recent matches"
      action={
        <Button busy={older.busy} onClick={older.load}>
          Search older deliveries
        </Button>
      }
    >
      The search of older deliveries failed.
    </Empty>
  );
}

function useColumns(rows: Delivery[], without: RowsProps["without"]): Column<Delivery>[] {
  const webhookNames = useWebhookNames();
  const videoNames = useVideoNames(rows.map(({ video }) => video));
  const webhookOf = ({ webhook }: Delivery) => webhookNames(webhook) ?? webhook;
  const video: Column<Delivery> = {
    name: "Video",
    width: "minmax(0,1fr)",
    narrow: "detailEnd",
    cell: (delivery) => (
      <>
        <span className={classes("block truncate", delivery.video === null && "narrow:hidden")}>
          {delivery.video === null ? "–" : videoNames(delivery.video)}
        </span>
        {!without && (
          <span
            className={classes("block truncate text-meta text-text-2 roomy:hidden", delivery.video && "narrow:hidden")}
          >
            {webhookOf(delivery)}
          </span>
        )}
      </>
    ),
  };
  const webhook: Column<Delivery> = {
    name: "Webhook",
    width: "minmax(0,1fr)",
    ...(without ? { narrow: "detailEnd" } : { from: "roomy" }),
    className: "text-text-2",
    cell: webhookOf,
  };
  return [...FIRST, ...(without === "video" ? [] : [video]), ...(without === "webhook" ? [] : [webhook]), ...LAST];
}

const FIRST: Column<Delivery>[] = [
  {
    name: "Status",
    width: "96px",
    narrow: "title",
    cell: ({ status }) => <Status state={deliveryState(status)} />,
  },
  {
    name: "Event",
    width: "128px",
    narrow: "detail",
    className: "font-mono text-code",
    cell: ({ id, type }) => (
      <Link to="/deliveries/$id" params={{ id }} data-row className="stretched">
        {type}
      </Link>
    ),
  },
];

const TONES = { quiet: "text-text-2 narrow:hidden", warn: "text-warn", bad: "text-bad" };

const LAST: Column<Delivery>[] = [
  {
    name: "Response",
    width: "184px",
    narrow: "below",
    cell: (delivery) => {
      const { text, tone } = responseCell(delivery);
      return (
        <span className={classes("block truncate numbers narrow:whitespace-normal", TONES[tone])} title={text}>
          {text}
        </span>
      );
    },
  },
  {
    name: "Attempts",
    width: "64px",
    align: "end",
    from: "wide",
    className: "text-text-2 numbers",
    cell: attemptText,
  },
  {
    name: "Duration",
    width: "64px",
    align: "end",
    from: "roomy",
    className: "text-text-2 numbers",
    cell: ({ last_attempt }) => (last_attempt ? duration(last_attempt.duration_ms) : ""),
  },
  {
    name: "Last attempt",
    width: "112px",
    align: "end",
    narrow: "titleEnd",
    className: "text-text-2",
    cell: ({ last_attempt }) => (last_attempt ? <Ago at={last_attempt.started} /> : "–"),
  },
];

/** Formats the number of attempts, with the maximum unless the delivery has succeeded or was canceled. */
function attemptText({ attempts, max_attempts, status }: Delivery): string {
  if (attempts === 0) return "–";
  return status === "succeeded" || status === "canceled" ? String(attempts) : `${attempts} of ${max_attempts}`;
}
