import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { api } from "../api/client.ts";
import { videoQuery } from "../api/queries.ts";
import type { Delivery, List } from "../api/types.ts";
import { useAging } from "../clock.ts";
import { moment } from "../format.ts";
import { classes } from "../ui/classes.ts";
import { CopyText } from "../ui/copy.tsx";
import { Fact, Facts, Section } from "../ui/page.tsx";
import { deliveryState, Status } from "../ui/status.tsx";
import { Ago, When } from "../ui/time.tsx";
import { useWebhookNames } from "./names.ts";

const accent = "rounded-tag text-accent hover:underline";

/** Shows a delivery's event, video, and webhook, and the event's position among the video's events. */
export function DeliveryFacts({ delivery }: { delivery: Delivery }) {
  const { id, event, video, webhook, sequence, created } = delivery;
  const webhookNames = useWebhookNames();
  const when = useAging((now) => moment(created, now));
  return (
    <div className="flex flex-col gap-6">
      <Facts>
        <Fact name="Delivery">
          <CopyText text={id} label="Copy delivery ID" />
        </Fact>
        <Fact name="Event">
          <Link
            to="/events/$id"
            params={{ id: event }}
            className={classes(accent, "block truncate font-mono text-code")}
          >
            {event}
          </Link>
        </Fact>
        {video !== null && (
          <Fact name="Video">
            <VideoLink id={video} />
            <span className="block text-text-2">
              <span className="font-mono text-code">{video}</span>
              {sequence > 0 && `, event ${sequence}`}
            </span>
          </Fact>
        )}
        <Fact name="Webhook">
          <Link to="/webhooks/$id" params={{ id: webhook }} className={accent}>
            {webhookNames(webhook) ?? <span className="font-mono text-code">{webhook}</span>}
          </Link>
        </Fact>
        <Fact name="Event time">
          <When at={created}>{when}</When>, <Ago at={created} />
        </Fact>
      </Facts>
      {video !== null && <DeliveryOrder delivery={delivery} video={video} />}
    </div>
  );
}

function VideoLink({ id }: { id: string }) {
  const { data: video } = useQuery({ ...videoQuery(id), retry: false });
  if (video === undefined) return null;
  return (
    <Link to="/videos/$id" params={{ id }} className={classes(accent, "block")}>
      {video.name || "Untitled"}
    </Link>
  );
}

/** Lists this video's deliveries to this webhook, in the order in which they are sent. */
function DeliveryOrder({ delivery, video }: { delivery: Delivery; video: string }) {
  const { webhook } = delivery;
  const { data } = useQuery({
    queryKey: ["delivery", "fresh", "order", webhook, video],
    queryFn: ({ signal }) => api.get<List<Delivery>>("/v1/deliveries", { webhook, video, limit: 50 }, signal),
  });
  const rows = (data?.data ?? []).toSorted((a, b) => a.sequence - b.sequence);
  if (rows.length < 2) return null;
  return (
    <Section title="Delivery order">
      <ol className="flex flex-col">
        {rows.map(({ id, type, sequence, status }) => (
          <li key={id} className="relative grid h-7 grid-cols-[20px_minmax(0,1fr)_auto] items-center gap-1 touch:h-11">
            <span className="text-text-2 numbers">{sequence}</span>
            <Link
              to="/deliveries/$id"
              params={{ id }}
              aria-current={id === delivery.id ? "page" : undefined}
              className={classes("stretched truncate font-mono text-code", id === delivery.id && "font-semibold")}
            >
              {type}
            </Link>
            <Status state={deliveryState(status)} />
          </li>
        ))}
      </ol>
    </Section>
  );
}
