import { PageHead } from "../../ui/page.tsx";

export function VideosPage() {
  return <PageHead title="Videos" />;
}
