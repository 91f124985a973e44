import { PageHead } from "../ui/page.tsx";

export function DebuggerPage() {
  return <PageHead title="Debugger" />;
}
