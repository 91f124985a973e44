import { PageHead } from "../../ui/page.tsx";

export function VideoPage() {
  return <PageHead title="Video" />;
}
