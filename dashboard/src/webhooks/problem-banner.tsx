import { useQuery } from "@tanstack/react-query";
import { CalendarClock, CirclePause, Play, RefreshCw, TriangleAlert } from "lucide-react";
import { useAging } from "../clock.ts";
import { useSendAgain } from "../deliveries/send-again.ts";
import { Button } from "../ui/button.tsx";
import { classes } from "../ui/classes.ts";
import { Until } from "../ui/time.tsx";
import { nextQuery } from "./webhook-health.ts";
import { headline, held, type Known, type Matter, matter, prediction, renewal } from "./webhook-problems.ts";

const BAD = { icon: TriangleAlert, tint: "bg-bad-tint", mark: "text-bad", words: "text-bad" };
const LOOKS: Record<Matter, typeof BAD> = {
  disabled: BAD,
  failing: BAD,
  paused: { icon: CirclePause, tint: "bg-neutral-tint", mark: "text-text-2", words: "" },
  certificate: { icon: CalendarClock, tint: "bg-warn-tint", mark: "text-warn", words: "text-warn" },
};

/** Says what is wrong, what waits because of it, what happens next, and offers the way out. Nothing while all is well. */
export function Banner({ known, onResume }: { known: Known; onResume: () => void }) {
  const what = useAging((now) => matter(known, now) ?? "");
  const words = useAging((now) => headline(known, now) ?? "");
  if (what === "") return null;
  const look = LOOKS[what];
  return (
    <div className="gutter pb-5">
      <div className={classes("flex flex-wrap gap-x-4 gap-y-3 rounded-panel p-4", look.tint)}>
        <look.icon size={16} className={classes("mt-0.5 shrink-0", look.mark)} aria-hidden />
        <div className="min-w-0 flex-[1_1_240px]">
          <p className={classes("font-medium", look.words)}>{words}</p>
          <p className="mt-0.5">
            <Rest what={what} known={known} />
          </p>
        </div>
        {what === "failing" && <TryOne webhook={known.webhook.id} />}
        {(what === "paused" || what === "disabled") && (
          <Button icon={Play} onClick={onResume}>
            Resume
          </Button>
        )}
      </div>
    </div>
  );
}

function Rest({ what, known }: { what: Matter; known: Known }) {
  const advice = useAging((now) => renewal(known, now));
  if (what === "failing") return <Failing known={known} />;
  return what === "certificate" ? advice : held(known);
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
