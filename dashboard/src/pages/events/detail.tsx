import { PageHead } from "../../ui/page.tsx";

export function EventPage() {
  return <PageHead title="Event" />;
}
