import { useQuery } from "@tanstack/react-query";
import { CirclePause, Play, RefreshCw, TriangleAlert } from "lucide-react";
import { useAging } from "../clock.ts";
import { useSendAgain } from "../deliveries/send-again.ts";
import { Button } from "../ui/button.tsx";
import { classes } from "../ui/classes.ts";
import { webhookState } from "../ui/status.tsx";
import { Until } from "../ui/time.tsx";
import { nextQuery } from "./queries.ts";
import { headline, held, type Known, prediction } from "./trouble.ts";

/** Says what is wrong, what waits because of it, what happens next, and offers the way out. Nothing while all is well. */
export function Banner({ known, onResume }: { known: Known; onResume: () => void }) {
  const { webhook } = known;
  const words = useAging((now) => headline(known, now) ?? "");
  if (words === "") return null;
  const bad = webhookState(webhook).tone === "bad";
  const Icon = bad ? TriangleAlert : CirclePause;
  return (
    <div className="gutter pb-5">
      <div
        className={classes("flex flex-wrap gap-x-4 gap-y-3 rounded-panel p-4", bad ? "bg-bad-tint" : "bg-neutral-tint")}
      >
        <Icon size={16} className={classes("mt-0.5 shrink-0", bad ? "text-bad" : "text-text-2")} aria-hidden />
        <div className="min-w-0 flex-[1_1_240px]">
          <p className={classes("font-medium", bad && "text-bad")}>{words}</p>
          <p className="mt-0.5">{webhook.status === "enabled" ? <Failing known={known} /> : held(known)}</p>
        </div>
        {webhook.status === "enabled" ? (
          <TryOne webhook={webhook.id} />
        ) : (
          <Button icon={Play} onClick={onResume}>
            Resume
          </Button>
        )}
      </div>
    </div>
  );
}

function Failing({ known }: { known: Known }) {
  const { data } = useQuery(nextQuery(known.webhook.id));
  const then = useAging((now) => prediction(known, now));
  const next = data?.next?.next_attempt;
  return (
    <>
      {held(known)}
      {next && (
        <>
          ; the next attempt is <Until at={next} />
        </>
      )}
      . {then}
    </>
  );
}

/** Sends the oldest open delivery now, without waiting for its turn in the schedule. */
function TryOne({ webhook }: { webhook: string }) {
  const { data } = useQuery(nextQuery(webhook));
  const again = useSendAgain();
  const { oldest } = data ?? {};
  if (oldest === undefined) return null;
  return (
    <Button icon={RefreshCw} busy={again.isPending} onClick={() => again.mutate(oldest.id)}>
      Try one now
    </Button>
  );
}
