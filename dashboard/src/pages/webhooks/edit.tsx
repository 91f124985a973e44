import { PageHead } from "../../ui/page.tsx";

export function EditWebhookPage() {
  return <PageHead title="Edit webhook" />;
}
