/** Deliveries as rows: a table, on a narrow pane two lines each. The same on every page that shows them. */
import { Link } from "@tanstack/react-router";
import type { Delivery } from "../api/types.ts";
import { took } from "../format.ts";
import type { LiveList } from "../live/live-list.ts";
import { HeldPill } from "../live/live-mark.tsx";
import { useIsNarrow } from "../shell/pane.ts";
import { Button } from "../ui/button.tsx";
import { classes } from "../ui/classes.ts";
import { Empty, ErrorState, SkeletonRows } from "../ui/states.tsx";
import { deliveryState, Status } from "../ui/status.tsx";
import { Ago } from "../ui/time.tsx";
import { answerLine } from "./attempt-text.ts";
import { useVideoNames, useWebhookNames } from "./names.ts";

interface Show {
  /** The page is about one webhook or one video: its column would say the same in every row. */
  without?: "webhook" | "video";
}

export function DeliveryRows({ list, empty, without }: { list: LiveList<Delivery>; empty: React.ReactNode } & Show) {
  const narrow = useIsNarrow();
  if (list.error) return <ErrorState error={list.error} retry={list.retry} />;
  if (list.loading) return <SkeletonRows height={narrow ? "h-16" : "h-11"} />;
  const shown = without ? { without } : {};
  return (
    <div ref={list.ref}>
      <HeldPill list={list} />
      {list.rows.length === 0 ? (
        list.older.exist ? (
          <Looking older={list.older} />
        ) : (
          empty
        )
      ) : narrow ? (
        <Lines rows={list.rows} {...shown} />
      ) : (
        <Table rows={list.rows} {...shown} />
      )}
      {list.older.exist && list.rows.length > 0 && (
        <div className="gutter py-4">
          <Button busy={list.older.busy} onClick={list.older.load}>
            Show older ones
          </Button>
        </div>
      )}
    </div>
  );
}

/** A filter that matches next to nothing: older ones are read by themselves, unless that failed. */
function Looking({ older }: Pick<LiveList<Delivery>, "older">) {
  if (!older.failed)
    return (
      <p role="status" className="gutter py-10 text-read">
        None among the newest deliveries. Looking through older ones…
      </p>
    );
  return (
    <Empty
      title="None among the newest deliveries"
      action={
        <Button busy={older.busy} onClick={older.load}>
          Look through older ones
        </Button>
      }
    >
      Looking further back failed; nothing is known of the older ones.
    </Empty>
  );
}

const tones = { quiet: "text-text-2", warn: "text-warn", bad: "text-bad" };
const head = "h-9 px-3 text-left text-meta font-normal text-text-3 first:pl-8 last:pr-8";
const cell = "h-12 px-3 first:pl-8 last:pr-8 @min-[1160px]/pane:h-11";
/** With both names in columns of their own the table needs more room than `wide` gives. */
const roomy = "hidden @min-[1160px]/pane:table-cell";

function Table({ rows, without }: { rows: Delivery[] } & Show) {
  const webhookNames = useWebhookNames();
  const videoNames = useVideoNames(rows.map(({ video }) => video));
  return (
    <table className="w-full table-fixed border-collapse">
      <thead>
        <tr className="border-b border-line">
          <th className={classes(head, "w-34 wide:w-36")}>Status</th>
          <th className={classes(head, "w-40")}>Event</th>
          {without !== "video" && <th className={head}>Video</th>}
          {without !== "webhook" && <th className={classes(head, !without && roomy)}>Webhook</th>}
          <th className={classes(head, "w-48", without ? "wide:w-56" : "wide:w-52")}>Answer</th>
          <th className={classes(head, "hidden w-24 text-right! wide:table-cell")}>Attempt</th>
          <th className={classes(head, "w-24 text-right!", without ? "hidden wide:table-cell" : roomy)}>Took</th>
          <th className={classes(head, "w-36 text-right!")}>Last attempt</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((delivery) => {
          const { id, type, video, webhook, status, last_attempt: last } = delivery;
          const response = answerLine(delivery);
          return (
            <tr
              key={id}
              className="group relative border-b border-line hover:bg-hover has-[[data-row]:focus-visible]:bg-hover"
            >
              <td className={cell}>
                <Status state={deliveryState(status)} />
              </td>
              <td className={classes(cell, "truncate font-mono text-code")}>
                <Link to="/deliveries/$id" params={{ id }} data-row className="stretched">
                  {type}
                </Link>
              </td>
              {without !== "video" && (
                <td className={cell}>
                  <span className="block truncate">{video === null ? "–" : videoNames(video)}</span>
                  {!without && (
                    <span className="block truncate text-meta text-text-2 @min-[1160px]/pane:hidden">
                      {webhookNames(webhook) ?? webhook}
                    </span>
                  )}
                </td>
              )}
              {without !== "webhook" && (
                <td className={classes(cell, "truncate text-text-2", !without && roomy)}>
                  {webhookNames(webhook) ?? webhook}
                </td>
              )}
              <td className={classes(cell, "truncate numbers", tones[response.tone])} title={response.text}>
                {response.text}
              </td>
              <td className={classes(cell, "hidden text-right text-text-2 numbers wide:table-cell")}>
                {attemptText(delivery)}
              </td>
              <td
                className={classes(cell, "text-right text-text-2 numbers", without ? "hidden wide:table-cell" : roomy)}
              >
                {last ? took(last.duration_ms) : ""}
              </td>
              <td className={classes(cell, "text-right text-text-2")}>{last ? <Ago at={last.started} /> : "–"}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

/** A finished delivery has no attempts left to count against. */
function attemptText({ attempts, max_attempts, status }: Delivery): string {
  if (attempts === 0) return "–";
  return status === "succeeded" || status === "canceled" ? String(attempts) : `${attempts} of ${max_attempts}`;
}

function Lines({ rows, without }: { rows: Delivery[] } & Show) {
  const webhookNames = useWebhookNames();
  const videoNames = useVideoNames(rows.map(({ video }) => video));
  return (
    <ul className="border-t border-line">
      {rows.map((delivery) => {
        const { id, type, video, webhook, status, last_attempt: last } = delivery;
        const response = answerLine(delivery);
        const about = without === "video" || video === null ? (webhookNames(webhook) ?? webhook) : videoNames(video);
        return (
          <li key={id} className="gutter relative border-b border-line py-2.5 has-[[data-row]:focus-visible]:bg-hover">
            <div className="flex justify-between gap-3">
              <Status state={deliveryState(status)} />
              <span className="text-text-2">{last && <Ago at={last.started} />}</span>
            </div>
            <div className="mt-0.5 flex justify-between gap-3">
              <Link to="/deliveries/$id" params={{ id }} data-row className="stretched shrink-0 font-mono text-code">
                {type}
              </Link>
              <span className="min-w-0 truncate text-text-2">{about}</span>
            </div>
            {response.tone !== "quiet" && (
              <p className={classes("mt-0.5 numbers", tones[response.tone])}>{response.text}</p>
            )}
          </li>
        );
      })}
    </ul>
  );
}
