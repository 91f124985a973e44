import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Webhook } from "../api/types.ts";
import { useAging } from "../clock.ts";
import { webhookName } from "../deliveries/names.ts";
import { duration, number, percent } from "../format.ts";
import { classes } from "../ui/classes.ts";
import { Sparkline } from "../ui/sparkline.tsx";
import { Skeleton } from "../ui/states.tsx";
import { Status, webhookState } from "../ui/status.tsx";
import { type Column, Table } from "../ui/table.tsx";
import { Ago } from "../ui/time.tsx";
import { useMonitored } from "./webhook-health.ts";
import { isLowSuccess } from "./webhook-metrics.tsx";
import {
  backlogText,
  headline,
  type MonitoredWebhook,
  problemOf,
  renewalAdvice,
  type WebhookProblem,
} from "./webhook-problems.ts";

export const WebhookRows = ({ webhooks }: { webhooks: Webhook[] }) => (
  <Table label="Webhooks" columns={columns} rows={webhooks} rowClass="items-start! py-3" />
);

const numeric = "text-text-2 numbers";

type MonitoredCell = (monitored: MonitoredWebhook) => ReactNode;

/** Renders a cell that depends on the webhook's health or last attempt. */
const monitoredCell = (cell: MonitoredCell) => (webhook: Webhook) => <Monitored webhook={webhook} cell={cell} />;

function Monitored({ webhook, cell }: { webhook: Webhook; cell: MonitoredCell }) {
  return cell(useMonitored(webhook));
}

const columns: Column<Webhook>[] = [
  {
    name: "Webhook",
    width: "minmax(0,1fr)",
    narrow: "title",
    className: "narrow:contents",
    cell: (webhook) => <NameAndProblem webhook={webhook} />,
  },
  {
    name: "Status",
    width: "88px",
    narrow: "titleEnd",
    cell: (webhook) => <Status state={webhookState(webhook)} />,
  },
  {
    name: "Events",
    width: "48px",
    align: "end",
    from: "wide",
    className: numeric,
    cell: ({ events }) => events.length,
  },
  {
    name: "Last 24 h",
    width: "144px",
    narrow: "detail",
    className: "narrow:mt-1.5",
    cell: monitoredCell(({ health }) =>
      health ? <Sparkline hours={health.hours} /> : <Skeleton className="h-6 w-36" />,
    ),
  },
  {
    name: "Success",
    width: "64px",
    align: "end",
    narrow: "detailEnd",
    cell: monitoredCell(({ health, last }) => (
      <>
        {health && (
          <span className={classes("numbers", isLowSuccess(health) && "font-medium text-bad")}>
            {percent(health.succeeded, health.succeeded + health.failed)}
          </span>
        )}
        {last?.last_attempt && (
          <span className="text-text-2 mid:hidden">
            {" · "}
            <Ago at={last.last_attempt.started} />
          </span>
        )}
      </>
    )),
  },
  {
    name: "p95",
    width: "64px",
    align: "end",
    from: "wide",
    className: numeric,
    cell: monitoredCell(({ health }) => duration(health?.response_ms.p95)),
  },
  {
    name: "Backlog",
    width: "64px",
    align: "end",
    className: numeric,
    cell: monitoredCell(({ health }) => (health ? number(health.pending) : "")),
  },
  {
    name: "Last attempt",
    width: "112px",
    align: "end",
    from: "wide",
    className: "text-text-2",
    cell: monitoredCell(({ last }) => (last?.last_attempt ? <Ago at={last.last_attempt.started} /> : "–")),
  },
];

/** In a narrow pane, the name and the problem are separate items in the row's grid. */
function NameAndProblem({ webhook }: { webhook: Webhook }) {
  return (
    <>
      <div className="min-w-0 narrow:col-start-2 narrow:row-start-1">
        <Link to="/webhooks/$id" params={{ id: webhook.id }} data-row className="stretched block truncate font-medium">
          {webhookName(webhook)}
        </Link>
        {webhook.description && (
          <span className="block truncate font-mono text-code text-text-2" title={webhook.url}>
            {webhook.url.replace(/^https?:\/\//, "")}
          </span>
        )}
      </div>
      <ProblemLine webhook={webhook} />
    </>
  );
}

const TONES: Record<WebhookProblem, string> = {
  disabled: "text-bad",
  failing: "text-bad",
  paused: "text-text-2",
  waiting: "text-warn",
  certificate: "text-warn",
};

function ProblemLine({ webhook }: { webhook: Webhook }) {
  const monitored = useMonitored(webhook);
  const problem = useAging((now) => problemOf(monitored, now) ?? "");
  const title = useAging((now) => headline(monitored, now) ?? "");
  const advice = useAging((now) => renewalAdvice(monitored, now));
  if (problem === "") return null;
  const effect =
    problem === "certificate" ? advice : monitored.health && `${backlogText(monitored).replace(/\.$/, "")}.`;
  return (
    <p
      className={classes(
        "mt-1 max-w-[78ch] whitespace-normal narrow:col-span-2 narrow:col-start-2 narrow:row-start-3",
        TONES[problem],
      )}
    >
      {title} {effect}
    </p>
  );
}
