import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { api } from "../api/client.ts";
import { webhookQuery } from "../api/queries.ts";
import type { Webhook } from "../api/types.ts";
import { webhookName } from "../deliveries/names.ts";
import { LinkButton } from "../ui/button.tsx";
import { Crumbs, PageHead, Section } from "../ui/page.tsx";
import { ErrorState } from "../ui/states.tsx";
import { SendTest } from "./send-test.tsx";
import { type WebhookBody, WebhookForm } from "./webhook-form.tsx";

const route = getRouteApi("/app/webhooks/$id/edit");

export function EditWebhookPage() {
  const { id } = route.useParams();
  const { data: webhook, error, refetch } = useQuery(webhookQuery(id));
  if (error) return <ErrorState error={error} retry={() => void refetch()} />;
  return webhook ? <Edit webhook={webhook} /> : null;
}

function Edit({ webhook }: { webhook: Webhook }) {
  const { id } = webhook;
  const queries = useQueryClient();
  const navigate = useNavigate();
  const save = useMutation({
    mutationFn: (body: WebhookBody) => api.patch<Webhook>(`/v1/webhooks/${id}`, body),
    onSuccess: async () => {
      await queries.invalidateQueries({ queryKey: ["webhook"] });
      await navigate({ to: "/webhooks/$id", params: { id } });
    },
  });
  return (
    <>
      <Crumbs to="/webhooks" parent="Webhooks">
        {webhookName(webhook)}
      </Crumbs>
      <PageHead title="Edit webhook">
        If you change the URL, pending deliveries use the new URL starting with their next attempt. The log keeps the
        URL of each attempt.
      </PageHead>
      <div className="gutter flex flex-col gap-10 pb-10">
        <WebhookForm webhook={webhook} verb="Save" busy={save.isPending} error={save.error} onSubmit={save.mutate}>
          <LinkButton to="/webhooks/$id" params={{ id }} look="quiet">
            Cancel
          </LinkButton>
        </WebhookForm>
        <Section title="Send a test" className="max-w-[640px]">
          <p className="mb-3 text-text-2">The test event is sent to the saved URL.</p>
          <SendTest webhook={webhook} />
        </Section>
      </div>
    </>
  );
}
