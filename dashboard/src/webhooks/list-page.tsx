import { useQuery } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { Plus } from "lucide-react";
import { useState } from "react";
import { webhooksQuery } from "../api/queries.ts";
import type { Webhook } from "../api/types.ts";
import { webhookName } from "../deliveries/names.ts";
import { number } from "../format.ts";
import type { WebhookSearch } from "../shell/search-params.ts";
import { Button, LinkButton } from "../ui/button.tsx";
import { PageHead } from "../ui/page.tsx";
import { SearchField } from "../ui/search-field.tsx";
import { Empty, ErrorState, SkeletonRows } from "../ui/states.tsx";
import { webhookState } from "../ui/status.tsx";
import { StateTabs } from "../ui/tabs.tsx";
import { ReceiverExamples } from "./receivers.tsx";
import { WebhookRows } from "./webhook-rows.tsx";

const route = getRouteApi("/app/webhooks");
/** Rows shown at once. Each row requests its webhook's health, and a space can have 1,000 webhooks. */
const PAGE = 50;
const STATES = ["Failing", "Enabled", "Paused", "Disabled"];

export function WebhooksPage() {
  const search = route.useSearch();
  const { data, error, isPending, refetch } = useQuery(webhooksQuery);
  const webhooks = data?.data ?? [];
  const any = webhooks.length > 0;
  return (
    <>
      <PageHead
        title="Webhooks"
        actions={
          any && (
            <LinkButton look="ink" icon={Plus} to="/webhooks/new">
              Create webhook
            </LinkButton>
          )
        }
      >
        {any && "URLs that receive signed events, in order per video."}
      </PageHead>
      {any && <Filters webhooks={webhooks} search={search} />}
      {error ? (
        <ErrorState error={error} retry={() => void refetch()} />
      ) : isPending ? (
        <SkeletonRows height="h-16" />
      ) : any ? (
        <Found webhooks={webhooks} search={search} />
      ) : (
        <None />
      )}
    </>
  );
}

function Filters({ webhooks, search }: { webhooks: Webhook[]; search: WebhookSearch }) {
  const navigate = useNavigate();
  const { state, ...others } = search;
  const count = (state: string) => webhooks.filter((webhook) => webhookState(webhook).label === state).length;
  const all = {
    label: "All",
    count: webhooks.length,
    active: state === undefined,
    link: { to: "/webhooks", search: others },
  } as const;
  const states = STATES.map((label) => ({
    label,
    count: count(label),
    active: state === label.toLowerCase(),
    link: { to: "/webhooks", search: { ...others, state: label.toLowerCase() } } as const,
  }));
  const find = (q: string) =>
    void navigate({ to: "/webhooks", search: { ...(state && { state }), ...(q && { q }) }, replace: true });
  return (
    <div className="gutter flex flex-wrap items-center justify-between gap-3 pb-4">
      <StateTabs label="Status" tabs={[all, ...states]} />
      <SearchField
        label="Search by name or URL"
        value={search.q ?? ""}
        onSearch={find}
        className="w-64 narrow:w-full"
      />
    </div>
  );
}

function Found({ webhooks, search: { state, q } }: { webhooks: Webhook[]; search: WebhookSearch }) {
  const text = (q ?? "").toLowerCase();
  const found = webhooks.filter(
    (webhook) =>
      (state === undefined || webhookState(webhook).label.toLowerCase() === state) &&
      `${webhookName(webhook)} ${webhook.url}`.toLowerCase().includes(text),
  );
  const [shown, setShown] = useState(PAGE);
  if (found.length > 0) {
    return (
      <>
        <WebhookRows webhooks={found.slice(0, shown)} />
        {found.length > shown && (
          <div className="gutter py-4">
            <Button onClick={() => setShown(shown + PAGE)}>
              Show {number(Math.min(PAGE, found.length - shown))} more
            </Button>
          </div>
        )}
      </>
    );
  }
  return <Empty title="No webhooks match" action={<LinkButton to="/webhooks">Clear filters</LinkButton>} />;
}

function None() {
  return (
    <>
      <Empty
        title="No webhooks yet"
        action={
          <LinkButton look="ink" icon={Plus} to="/webhooks/new">
            Create webhook
          </LinkButton>
        }
      >
        Enter a URL and choose event types. Mave signs each event, sends events in order per video, and retries until
        your receiver responds with 2xx.
      </Empty>
      <div className="gutter grid max-w-[calc(78ch+64px)] gap-6 pb-10">
        <p className="-mb-3 text-text-2">No receiver yet? Each example verifies the signature and prints the event.</p>
        <ReceiverExamples />
      </div>
    </>
  );
}
