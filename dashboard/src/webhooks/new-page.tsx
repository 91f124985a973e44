import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "../api/client.ts";
import type { Webhook } from "../api/types.ts";
import { webhookName } from "../deliveries/names.ts";
import { LinkButton } from "../ui/button.tsx";
import { CopyField } from "../ui/copy.tsx";
import { Crumbs, PageHead, Section } from "../ui/page.tsx";
import { Receivers } from "./receivers.tsx";
import { SendTest } from "./send-test.tsx";
import { type WebhookBody, WebhookForm } from "./webhook-form.tsx";

export function NewWebhookPage() {
  const queries = useQueryClient();
  const create = useMutation({
    mutationFn: (body: WebhookBody) => api.post<Webhook>("/v1/webhooks", body),
    onSuccess: () => queries.invalidateQueries({ queryKey: ["webhook"] }),
  });
  if (create.data) return <Registered webhook={create.data} />;
  return (
    <>
      <Crumbs to="/webhooks" parent="Webhooks">
        New webhook
      </Crumbs>
      <PageHead title="New webhook">Events are sent to it from now on; earlier ones can be sent by a replay.</PageHead>
      <div className="gutter pb-10">
        <WebhookForm verb="Register" busy={create.isPending} error={create.error} onSubmit={create.mutate}>
          <LinkButton to="/webhooks" look="quiet">
            Cancel
          </LinkButton>
        </WebhookForm>
      </div>
    </>
  );
}

/** The next steps, in order: keep the secret, response, try. */
function Registered({ webhook }: { webhook: Webhook }) {
  return (
    <>
      <Crumbs to="/webhooks" parent="Webhooks">
        {webhookName(webhook)}
      </Crumbs>
      <PageHead
        title="Registered"
        actions={
          <LinkButton look="ink" to="/webhooks/$id" params={{ id: webhook.id }}>
            Open the webhook
          </LinkButton>
        }
      >
        Events are on their way to <span className="font-mono text-code">{webhook.url}</span> as they happen.
      </PageHead>
      <div className="gutter flex max-w-[calc(640px+64px)] flex-col gap-8 pb-10">
        <Section title="1. Give your receiver the secret">
          <CopyField text={webhook.secret ?? ""} label="Copy the secret" />
          <p className="mt-2 text-text-2">
            It verifies that a request is from here. The webhook's page shows it again.
          </p>
        </Section>
        <Section title="2. Answer with 2xx">
          <Receivers />
        </Section>
        <Section title="3. Try it">
          <SendTest webhook={webhook} />
        </Section>
      </div>
    </>
  );
}
