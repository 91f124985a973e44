import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Health, Webhook } from "../api/types.ts";
import { useAging } from "../clock.ts";
import { duration, moment, number, percent, plural, span } from "../format.ts";
import { classes } from "../ui/classes.ts";
import { Skeleton } from "../ui/states.tsx";
import { backlogQuery } from "./webhook-health.ts";
import { drainText, type MonitoredWebhook } from "./webhook-problems.ts";

const LOW_SUCCESS = 0.95;

/** Returns whether the success rate is low enough to be shown in red. */
export const isLowSuccess = ({ succeeded, failed }: Health): boolean =>
  succeeded + failed > 0 && succeeded / (succeeded + failed) < LOW_SUCCESS;

export function WebhookMetrics({ monitored: { webhook, health } }: { monitored: MonitoredWebhook }) {
  const { data: backlog } = useQuery(backlogQuery(webhook.id));
  const now = useAging((second) => Math.floor(second / 10) * 10);
  if (health === undefined) return <Skeleton className="h-16 w-full" />;
  const attempts = health.succeeded + health.failed;
  const oldest = health.oldest_pending;
  return (
    <dl className="grid grid-cols-2 gap-y-4 mid:grid-cols-4">
      <Metric name="Success rate, 24 h" value={percent(health.succeeded, attempts)} bad={isLowSuccess(health)}>
        {attempts === 0 ? "no attempts" : `${number(health.succeeded)} of ${plural(attempts, "attempt")}`}
      </Metric>
      <Metric name="Latency, p95" value={duration(health.response_ms.p95)}>
        {health.response_ms.p50 === null ? "no responses" : `median ${duration(health.response_ms.p50)}`}
      </Metric>
      <Metric name="Backlog" value={number(health.pending)}>
        {backlogNote(health, webhook, backlog?.retrying)}
      </Metric>
      <Metric name="Oldest pending" value={oldest === null ? "–" : span(now - oldest)}>
        {oldest === null ? "none" : `since ${moment(oldest, now)}`}
      </Metric>
    </dl>
  );
}

function backlogNote(health: Health, webhook: Webhook, retrying: number | undefined): string {
  const { pending } = health;
  if (pending === 0) return "nothing pending";
  if (webhook.status !== "enabled") return "held until resumed";
  const left = webhook.failing_since === null ? drainText(health) : undefined;
  if (left !== undefined) return left;
  if (retrying === undefined) return "waiting and retrying";
  const waiting = `${number(pending - retrying)} waiting`;
  return retrying === 0 ? waiting : `${number(retrying)} retrying, ${waiting}`;
}

function Metric({ name, value, bad, children }: { name: string; value: string; bad?: boolean; children: ReactNode }) {
  return (
    <div className="min-w-0 pr-3 mid:border-l mid:border-line mid:pl-5 mid:first:border-0 mid:first:pl-0">
      <dt className="text-meta text-text-3">{name}</dt>
      <dd>
        <span className={classes("mt-1 block text-title font-semibold whitespace-nowrap numbers", bad && "text-bad")}>
          {value}
        </span>
        <span className="block text-meta text-text-2 numbers">{children}</span>
      </dd>
    </div>
  );
}
