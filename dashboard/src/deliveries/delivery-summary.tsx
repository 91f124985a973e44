import type { DeliveryWithLog } from "../api/types.ts";
import { useAging } from "../clock.ts";
import { moment, number, plural } from "../format.ts";
import { Until } from "../ui/time.tsx";
import { diagnose, statusText } from "./delivery-text.ts";

/** Shows the result of the last attempt, the number of attempts, and what happens next. */
export function DeliverySummary({ delivery }: { delivery: DeliveryWithLog }) {
  const last = delivery.log.at(-1);
  const text = blocked(delivery) ?? (last ? diagnose(last) : "No attempts yet.");
  return (
    <>
      <p className="text-read text-text">
        <Emphasized text={text} part={last?.status ? statusText(last.status) : ""} />
      </p>
      <p className="mt-1">
        <Progress delivery={delivery} />
      </p>
    </>
  );
}

function Emphasized({ text, part }: { text: string; part: string }) {
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

/** Explains why no attempt is scheduled for the delivery. */
function blocked({ status, reason, waits_for, log }: DeliveryWithLog): string | undefined {
  if (status === "canceled") return reason ?? "Canceled. This delivery will not be sent.";
  if (status === "held") return reason ?? "Held until the webhook is resumed.";
  if (status === "waiting" && waits_for !== null && log.length === 0)
    return "Waiting for an earlier event of this video, because a video's events are delivered in order.";
  return undefined;
}

function Progress({ delivery }: { delivery: DeliveryWithLog }) {
  const { attempts, max_attempts, next_attempt, status, erased } = delivery;
  const made = attempts === 0 ? "" : `${number(attempts)} of ${plural(max_attempts, "attempt")} made.`;
  const clock = useAging((now) => (next_attempt === null ? "" : moment(next_attempt, now)));
  if (status === "failed" && erased !== null) return <>{made} It cannot be sent again, because its data was erased.</>;
  if (status === "failed") return <>{made} No automatic retries are left. You can still send it again or replay it.</>;
  if (status === "succeeded")
    return <>{attempts === 1 ? "Delivered on the first attempt." : `Delivered on attempt ${number(attempts)}.`}</>;
  if (next_attempt === null) return <>{made}</>;
  return (
    <>
      {made} Next attempt <Until at={next_attempt} />, at {clock}.
    </>
  );
}
