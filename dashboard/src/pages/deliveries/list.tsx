import { PageHead } from "../../ui/page.tsx";

export function DeliveriesPage() {
  return <PageHead title="Deliveries" />;
}
