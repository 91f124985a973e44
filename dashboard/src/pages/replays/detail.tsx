import { PageHead } from "../../ui/page.tsx";

export function ReplayPage() {
  return <PageHead title="Replay" />;
}
