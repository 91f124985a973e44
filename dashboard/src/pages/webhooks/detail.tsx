import { PageHead } from "../../ui/page.tsx";

export function WebhookPage() {
  return <PageHead title="Webhook" />;
}
