import { PageHead } from "../ui/page.tsx";

export function SettingsPage() {
  return <PageHead title="Settings" />;
}
