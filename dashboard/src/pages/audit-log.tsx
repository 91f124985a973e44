import { PageHead } from "../ui/page.tsx";

export function AuditLogPage() {
  return <PageHead title="Audit log" />;
}
