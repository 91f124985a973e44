import { PageHead } from "../../ui/page.tsx";

export function NewReplayPage() {
  return <PageHead title="New replay" />;
}
