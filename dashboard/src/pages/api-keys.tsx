import { PageHead } from "../ui/page.tsx";

export function ApiKeysPage() {
  return <PageHead title="API keys" />;
}
