import { PageHead } from "../../ui/page.tsx";

export function WebhooksPage() {
  return <PageHead title="Webhooks" />;
}
