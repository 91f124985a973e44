import { PageHead } from "../../ui/page.tsx";

export function EventsPage() {
  return <PageHead title="Events" />;
}
