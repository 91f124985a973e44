/** The side column on a webhook's page: its secret and settings. */
import { RotateCcwKey } from "lucide-react";
import { useState } from "react";
import { api } from "../api/client.ts";
import type { Health, Webhook, WebhookSecret } from "../api/types.ts";
import { useAging } from "../clock.ts";
import { day, moment, number, span } from "../format.ts";
import { Button } from "../ui/button.tsx";
import { classes } from "../ui/classes.ts";
import { Fact, Facts, Section } from "../ui/page.tsx";
import { Secret } from "../ui/secret.tsx";
import { When } from "../ui/time.tsx";
import { RotateDialog } from "./rotate-dialog.tsx";
import { expiresSoon, timeLeft } from "./webhook-problems.ts";

export function WebhookFacts({ webhook, health }: { webhook: Webhook; health: Health | undefined }) {
  const [rotating, setRotating] = useState(false);
  const fetchSecret = async () => (await api.get<WebhookSecret>(`/v1/webhooks/${webhook.id}/secret`)).secret;
  const headers = Object.keys(webhook.headers);
  return (
    <div className="flex flex-col gap-6">
      <Section title="Secret">
        <Secret key={webhook.secret_since} prefix="whsec_" hint={webhook.secret_hint} fetch={fetchSecret} />
        {webhook.previous_secret_until !== null && (
          <PreviousSecret webhook={webhook} until={webhook.previous_secret_until} />
        )}
        <Button size="sm" look="line" icon={RotateCcwKey} className="mt-3" onClick={() => setRotating(true)}>
          Rotate secret
        </Button>
      </Section>
      <Facts>
        <Fact name="Events" mono>
          {webhook.events.map((type) => (
            <span key={type} className="block leading-5">
              {type}
            </span>
          ))}
        </Fact>
        <Fact name="Ordering">{webhook.ordering === "video" ? "Per video" : "None"}</Fact>
        <Fact name="Rate limit">
          {webhook.rate_limit === null ? "No limit" : `${number(webhook.rate_limit)} per second`}
        </Fact>
        {headers.length > 0 && (
          <Fact name="Headers" mono>
            {headers.join(", ")}
          </Fact>
        )}
        {health?.certificate_until && <Certificate until={health.certificate_until} />}
        <Fact name="Created">
          <When at={webhook.created}>{day(webhook.created)}</When>
        </Fact>
      </Facts>
      <RotateDialog webhook={webhook} open={rotating} onClose={() => setRotating(false)} />
    </div>
  );
}

function PreviousSecret({
  webhook: { secret_since, previous_secret_hint },
  until,
}: {
  webhook: Webhook;
  until: number;
}) {
  const since = useAging((now) => moment(secret_since, now));
  const end = useAging((now) => moment(until, now));
  const left = useAging((now) => span(until - now));
  return (
    <div className="mt-3">
      <Facts>
        <Fact name="Old secret" mono>
          {`whsec_••••${previous_secret_hint ?? ""}`}
        </Fact>
        <Fact name="Replaced">
          <When at={secret_since}>{since}</When>
        </Fact>
        <Fact name="Valid until">
          <When at={until}>{end}</When>
          <span className="block text-text-2">{left} left</span>
        </Fact>
      </Facts>
    </div>
  );
}

function Certificate({ until }: { until: number }) {
  const left = useAging((now) => timeLeft(until, now));
  const soon = useAging((now) => (expiresSoon(until, now) ? 1 : 0)) === 1;
  return (
    <Fact name="Certificate">
      <span className={classes(soon && "font-medium text-warn")}>
        {left === "" ? "expired " : "expires "}
        <When at={until}>{day(until)}</When>
        {soon && left !== "" && `, in ${left}`}
      </span>
    </Fact>
  );
}
