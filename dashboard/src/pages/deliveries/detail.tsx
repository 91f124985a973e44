import { PageHead } from "../../ui/page.tsx";

export function DeliveryPage() {
  return <PageHead title="Delivery" />;
}
