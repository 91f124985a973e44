import { PageHead } from "../../ui/page.tsx";

export function ReplaysPage() {
  return <PageHead title="Replays" />;
}
