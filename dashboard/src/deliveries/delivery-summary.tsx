import type { DeliveryWithLog } from "../api/types.ts";
import { useAging } from "../clock.ts";
import { moment, number, plural } from "../format.ts";
import { Until } from "../ui/time.tsx";
import { statusText, verdict } from "./attempt-text.ts";

/** Whose fault it is, in one sentence; then what has been done and what comes next. */
export function Sentence({ delivery }: { delivery: DeliveryWithLog }) {
  const last = delivery.log.at(-1);
  const words = standing(delivery) ?? (last ? verdict(last) : "The first attempt has not been made yet.");
  return (
    <>
      <p className="text-read text-text">
        <Weighted text={words} part={last?.status ? statusText(last.status) : ""} />
      </p>
      <p className="mt-1">
        <Progress delivery={delivery} />
      </p>
    </>
  );
}

function Weighted({ text, part }: { text: string; part: string }) {
  const at = part === "" ? -1 : text.indexOf(part);
  if (at === -1) return text;
  return (
    <>
      {text.slice(0, at)}
      <strong className="font-semibold">{part}</strong>
      {text.slice(at + part.length)}
    </>
  );
}

/** What keeps it from being attempted at all. */
function standing({ status, reason, waits_for, log }: DeliveryWithLog): string | undefined {
  if (status === "canceled") return reason ?? "It was canceled and is not sent.";
  if (status === "held") return reason ?? "Its webhook is paused; it is sent when the webhook is resumed.";
  if (status === "waiting" && waits_for !== null && log.length === 0) {
    return "An earlier event of the same video has not arrived yet. It goes first, so that the receiver sees them in order.";
  }
  return undefined;
}

function Progress({ delivery }: { delivery: DeliveryWithLog }) {
  const { attempts, max_attempts, next_attempt, status, erased } = delivery;
  const made = attempts === 0 ? "" : `${number(attempts)} of ${plural(max_attempts, "attempt")} made.`;
  const clock = useAging((now) => (next_attempt === null ? "" : moment(next_attempt, now)));
  if (status === "failed" && erased !== null) return <>{made} It is not sent again: what it said was erased.</>;
  if (status === "failed") return <>{made} It is not sent again by itself; “Send again” and replays still can.</>;
  if (status === "succeeded")
    return <>{attempts === 1 ? "At the first attempt." : `At attempt ${number(attempts)}.`}</>;
  if (next_attempt === null) return <>{made}</>;
  return (
    <>
      {made} Next <Until at={next_attempt} />, at {clock}.
    </>
  );
}
