import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "../api/client.ts";
import type { Webhook } from "../api/types.ts";
import { webhookName } from "../deliveries/names.ts";
import { LinkButton } from "../ui/button.tsx";
import { CopyField } from "../ui/copy.tsx";
import { Crumbs, PageHead, Section } from "../ui/page.tsx";
import { ReceiverExamples } from "./receivers.tsx";
import { SendTest } from "./send-test.tsx";
import { type WebhookBody, WebhookForm } from "./webhook-form.tsx";

export function NewWebhookPage() {
  const queries = useQueryClient();
  const create = useMutation({
    mutationFn: (body: WebhookBody) => api.post<Webhook>("/v1/webhooks", body),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["webhook"] }),
  });
  if (create.data) return <Created webhook={create.data} />;
  return (
    <>
      <Crumbs to="/webhooks" parent="Webhooks">
        New webhook
      </Crumbs>
      <PageHead title="New webhook">
        A webhook receives only events that occur after you create it. To send earlier events, create a replay.
      </PageHead>
      <div className="gutter pb-10">
        <WebhookForm verb="Create webhook" busy={create.isPending} error={create.error} onSubmit={create.mutate}>
          <LinkButton to="/webhooks" look="quiet">
            Cancel
          </LinkButton>
        </WebhookForm>
      </div>
    </>
  );
}

/** Shows the next steps after a webhook is created. */
function Created({ webhook }: { webhook: Webhook }) {
  return (
    <>
      <Crumbs to="/webhooks" parent="Webhooks">
        {webhookName(webhook)}
      </Crumbs>
      <PageHead
        title="Webhook created"
        actions={
          <LinkButton look="ink" to="/webhooks/$id" params={{ id: webhook.id }}>
            View webhook
          </LinkButton>
        }
      >
        New events are sent to <span className="font-mono text-code">{webhook.url}</span>.
      </PageHead>
      <div className="gutter flex max-w-[calc(640px+64px)] flex-col gap-8 pb-10">
        <Section title="1. Add the secret to your receiver">
          <CopyField text={webhook.secret ?? ""} label="Copy secret" />
          <p className="mt-2 text-text-2">
            Your receiver uses the secret to verify that requests come from Mave. You can view it again on the webhook's
            page.
          </p>
        </Section>
        <Section title="2. Respond with 2xx">
          <ReceiverExamples />
        </Section>
        <Section title="3. Send a test">
          <SendTest webhook={webhook} />
        </Section>
      </div>
    </>
  );
}
