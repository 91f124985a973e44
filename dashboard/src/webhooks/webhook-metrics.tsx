import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import type { Health, Webhook } from "../api/types.ts";
import { useAging } from "../clock.ts";
import { moment, number, percent, plural, span, took } from "../format.ts";
import { classes } from "../ui/classes.ts";
import { Skeleton } from "../ui/states.tsx";
import { nextQuery } from "./webhook-health.ts";
import { type Known, leftWords } from "./webhook-problems.ts";

const BAD_BELOW = 0.95;

/** Four numbers, each with what it is counted from. */
export function Numbers({ known: { webhook, health } }: { known: Known }) {
  const { data: open } = useQuery(nextQuery(webhook.id));
  const now = useAging((second) => Math.floor(second / 10) * 10);
  if (health === undefined) return <Skeleton className="h-16 w-full" />;
  const all = health.succeeded + health.failed;
  const bad = all > 0 && health.succeeded / all < BAD_BELOW;
  const oldest = health.oldest_pending;
  return (
    <dl className="grid grid-cols-2 gap-y-4 mid:grid-cols-4">
      <Figure name="Success, 24 h" value={percent(health.succeeded, all)} bad={bad}>
        {all === 0 ? "no attempts" : `${number(health.succeeded)} of ${plural(all, "attempt")}`}
      </Figure>
      <Figure name="Response time, p95" value={took(health.response_ms.p95)}>
        {health.response_ms.p50 === null ? "no responses" : `half under ${took(health.response_ms.p50)}`}
      </Figure>
      <Figure name="Open" value={number(health.pending)}>
        {openWords(health, webhook, open?.retrying)}
      </Figure>
      <Figure name="Oldest open" value={oldest === null ? "–" : span(now - oldest)}>
        {oldest === null ? "none waits" : `since ${moment(oldest, now)}`}
      </Figure>
    </dl>
  );
}

function openWords(health: Health, webhook: Webhook, retrying: number | undefined): string {
  const { pending: open } = health;
  if (open === 0) return "all delivered";
  if (webhook.status !== "enabled") return "held until it is resumed";
  const left = webhook.failing_since === null ? leftWords(health) : undefined;
  if (left !== undefined) return left;
  if (retrying === undefined) return "waiting and retrying";
  return retrying === 0
    ? `${number(open)} waiting`
    : `${number(retrying)} retrying, ${number(open - retrying)} waiting`;
}

function Figure({ name, value, bad, children }: { name: string; value: string; bad?: boolean; children: ReactNode }) {
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
