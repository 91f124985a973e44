import { PageHead } from "../../ui/page.tsx";

export function NewWebhookPage() {
  return <PageHead title="New webhook" />;
}
