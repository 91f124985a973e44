import { Link } from "@tanstack/react-router";
import type { Webhook } from "../api/types.ts";
import { useAging } from "../clock.ts";
import { webhookName } from "../deliveries/names.ts";
import { number, percent, took } from "../format.ts";
import { useIsNarrow } from "../shell/pane.ts";
import { classes } from "../ui/classes.ts";
import { Sparkline } from "../ui/sparkline.tsx";
import { Skeleton } from "../ui/states.tsx";
import { Status, webhookState } from "../ui/status.tsx";
import { Ago } from "../ui/time.tsx";
import { useKnown } from "./webhook-health.ts";
import { headline, held, type Known, type Matter, matter, renewal } from "./webhook-problems.ts";

export function WebhookRows({ webhooks }: { webhooks: Webhook[] }) {
  return useIsNarrow() ? <Lines webhooks={webhooks} /> : <Table webhooks={webhooks} />;
}

const head = "h-9 px-3 text-left text-meta font-normal text-text-3 first:pl-8 last:pr-8";
const cell = "px-3 py-3 align-top first:pl-8 last:pr-8";

function Table({ webhooks }: { webhooks: Webhook[] }) {
  return (
    <table className="w-full table-fixed border-collapse">
      <thead>
        <tr className="border-b border-line">
          <th className={head}>Webhook</th>
          <th className={classes(head, "w-28")}>Status</th>
          <th className={classes(head, "hidden w-20 text-right! wide:table-cell")}>Events</th>
          <th className={classes(head, "w-44")}>24 h</th>
          <th className={classes(head, "w-24 text-right!")}>Success</th>
          <th className={classes(head, "hidden w-24 text-right! wide:table-cell")}>p95</th>
          <th className={classes(head, "w-25 pr-8 text-right! wide:w-20 wide:pr-3")}>Open</th>
          <th className={classes(head, "hidden w-36 text-right! wide:table-cell")}>Last attempt</th>
        </tr>
      </thead>
      <tbody>
        {webhooks.map((webhook) => (
          <TableRow key={webhook.id} webhook={webhook} />
        ))}
      </tbody>
    </table>
  );
}

function TableRow({ webhook }: { webhook: Webhook }) {
  const known = useKnown(webhook);
  const { health, last } = known;
  return (
    <tr className="relative border-b border-line hover:bg-hover has-[[data-row]:focus-visible]:bg-hover">
      <td className={cell}>
        <Name webhook={webhook} />
        <Trouble known={known} />
      </td>
      <td className={cell}>
        <Status state={webhookState(webhook)} />
      </td>
      <td className={classes(cell, "hidden text-right text-text-2 numbers wide:table-cell")}>
        {webhook.events.length}
      </td>
      <td className={cell}>{health ? <Sparkline hours={health.hours} /> : <Skeleton className="h-6 w-36" />}</td>
      <td className={classes(cell, "text-right")}>
        <Success known={known} />
      </td>
      <td className={classes(cell, "hidden text-right text-text-2 numbers wide:table-cell")}>
        {took(health?.response_ms.p95)}
      </td>
      <td className={classes(cell, "pr-8 text-right text-text-2 numbers wide:pr-3")}>
        {health ? number(health.pending) : ""}
      </td>
      <td className={classes(cell, "hidden text-right text-text-2 wide:table-cell")}>
        {last?.last_attempt ? <Ago at={last.last_attempt.started} /> : "–"}
      </td>
    </tr>
  );
}

function Lines({ webhooks }: { webhooks: Webhook[] }) {
  return (
    <ul className="border-t border-line">
      {webhooks.map((webhook) => (
        <Line key={webhook.id} webhook={webhook} />
      ))}
    </ul>
  );
}

function Line({ webhook }: { webhook: Webhook }) {
  const known = useKnown(webhook);
  const { health, last } = known;
  return (
    <li className="gutter relative border-b border-line py-3 has-[[data-row]:focus-visible]:bg-hover">
      <div className="flex items-start justify-between gap-3">
        <Name webhook={webhook} />
        <Status state={webhookState(webhook)} />
      </div>
      <div className="mt-2 flex items-end justify-between gap-3">
        {health ? <Sparkline hours={health.hours} /> : <Skeleton className="h-6 w-36" />}
        <span className="text-text-2">
          <Success known={known} /> · {last?.last_attempt ? <Ago at={last.last_attempt.started} /> : "no attempt"}
        </span>
      </div>
      <Trouble known={known} />
    </li>
  );
}

function Name({ webhook }: { webhook: Webhook }) {
  const address = webhook.url.replace(/^https?:\/\//, "");
  return (
    <div className="min-w-0">
      <Link to="/webhooks/$id" params={{ id: webhook.id }} data-row className="stretched block truncate font-medium">
        {webhookName(webhook)}
      </Link>
      {webhook.description && (
        <span className="block truncate font-mono text-code text-text-2" title={webhook.url}>
          {address}
        </span>
      )}
    </div>
  );
}

function Success({ known: { health } }: { known: Known }) {
  if (health === undefined) return null;
  const all = health.succeeded + health.failed;
  const bad = all > 0 && health.succeeded / all < 0.95;
  return <span className={classes("numbers", bad && "font-medium text-bad")}>{percent(health.succeeded, all)}</span>;
}

const LOUDNESS: Record<Matter, string> = {
  disabled: "text-bad",
  failing: "text-bad",
  paused: "text-text-2",
  certificate: "text-warn",
};

/** A problem adds a line to its row. */
function Trouble({ known }: { known: Known }) {
  const what = useAging((now) => matter(known, now) ?? "");
  const words = useAging((now) => headline(known, now) ?? "");
  const advice = useAging((now) => renewal(known, now));
  if (what === "") return null;
  const rest = what === "certificate" ? advice : known.health && `${held(known).replace(/\.$/, "")}.`;
  return (
    <p className={classes("mt-1 max-w-[78ch]", LOUDNESS[what])}>
      {words} {rest}
    </p>
  );
}
