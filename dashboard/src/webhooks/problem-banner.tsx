import { useQuery } from "@tanstack/react-query";
import { CalendarClock, CirclePause, Hourglass, Play, RefreshCw, TriangleAlert } from "lucide-react";
import { useAging } from "../clock.ts";
import { useSendAgain } from "../deliveries/send-again.ts";
import { Button } from "../ui/button.tsx";
import { classes } from "../ui/classes.ts";
import { Until } from "../ui/time.tsx";
import { useRetryAll } from "./retry-all.ts";
import { backlogQuery } from "./webhook-health.ts";
import {
  backlogText,
  disableWarning,
  headline,
  type MonitoredWebhook,
  problemOf,
  renewalAdvice,
  type WebhookProblem,
} from "./webhook-problems.ts";

const BAD = { icon: TriangleAlert, tint: "bg-bad-tint", mark: "text-bad", text: "text-bad" };
const LOOKS: Record<WebhookProblem, typeof BAD> = {
  disabled: BAD,
  failing: BAD,
  paused: { icon: CirclePause, tint: "bg-neutral-tint", mark: "text-text-2", text: "" },
  waiting: { icon: Hourglass, tint: "bg-warn-tint", mark: "text-warn", text: "text-warn" },
  certificate: { icon: CalendarClock, tint: "bg-warn-tint", mark: "text-warn", text: "text-warn" },
};

interface BannerProps {
  monitored: MonitoredWebhook;
  onResume: () => void;
}

/** Shows the webhook's most severe problem, its effect, what happens next, and a button for the next step. */
export function ProblemBanner({ monitored, onResume }: BannerProps) {
  const problem = useAging((now) => problemOf(monitored, now) ?? "");
  const title = useAging((now) => headline(monitored, now) ?? "");
  if (problem === "") return null;
  const look = LOOKS[problem];
  return (
    <div className="gutter pb-5">
      <div className={classes("flex flex-wrap gap-x-4 gap-y-3 rounded-panel p-4", look.tint)}>
        <look.icon size={16} className={classes("mt-0.5 shrink-0", look.mark)} aria-hidden />
        <div className="min-w-0 flex-[1_1_240px]">
          <p className={classes("font-medium", look.text)}>{title}</p>
          <p className="mt-0.5">
            <Effect problem={problem} monitored={monitored} />
          </p>
        </div>
        {problem === "failing" && <RetryOne webhook={monitored.webhook.id} />}
        {(problem === "failing" || problem === "waiting") && <RetryAll webhook={monitored.webhook.id} />}
        {(problem === "paused" || problem === "disabled") && (
          <Button icon={Play} onClick={onResume}>
            Resume
          </Button>
        )}
      </div>
    </div>
  );
}

function Effect({ problem, monitored }: { problem: WebhookProblem; monitored: MonitoredWebhook }) {
  const advice = useAging((now) => renewalAdvice(monitored, now));
  if (problem === "failing" || problem === "waiting") return <PendingEffect monitored={monitored} />;
  return problem === "certificate" ? advice : backlogText(monitored);
}

function PendingEffect({ monitored }: { monitored: MonitoredWebhook }) {
  const { data } = useQuery(backlogQuery(monitored.webhook.id));
  const warning = useAging((now) => disableWarning(monitored, now));
  const next = data?.next?.next_attempt;
  return (
    <>
      {backlogText(monitored)}
      {next && (
        <>
          ; the next attempt is <Until at={next} />
        </>
      )}
      . {warning}
    </>
  );
}

/** Sends all retries immediately, and ends a wait that the receiver asked for. */
function RetryAll({ webhook }: { webhook: string }) {
  const retry = useRetryAll(webhook);
  return (
    <Button icon={RefreshCw} busy={retry.isPending} onClick={() => retry.mutate()}>
      Retry all now
    </Button>
  );
}

/** Sends the oldest retrying delivery immediately, ahead of its retry schedule. */
function RetryOne({ webhook }: { webhook: string }) {
  const { data } = useQuery(backlogQuery(webhook));
  const again = useSendAgain();
  const { oldest } = data ?? {};
  if (oldest === undefined) return null;
  return (
    <Button look="line" icon={RefreshCw} busy={again.isPending} onClick={() => again.mutate(oldest.id)}>
      Retry one now
    </Button>
  );
}
