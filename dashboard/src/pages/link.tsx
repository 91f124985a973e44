import { PageHead } from "../ui/page.tsx";

export function LinkPage() {
  return <PageHead title="Link" />;
}
