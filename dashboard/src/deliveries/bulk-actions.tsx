/** Bulk actions on the deliveries that match the current filters: send them again with a replay, or cancel them. */
import { ListChecks } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { nowSeconds } from "../clock.ts";
import type { DeliverySearch } from "../shell/search-params.ts";
import { Button } from "../ui/button.tsx";
import { Menu } from "../ui/menu.tsx";
import type { BulkAction } from "./bulk-dialogs.tsx";

const BulkDialogs = lazy(() => import("./bulk-dialogs.tsx"));

export function BulkActions({ search }: { search: DeliverySearch }) {
  const [asked, setAsked] = useState<BulkAction>();
  const [used, setUsed] = useState(false);
  const ask = (kind: BulkAction["kind"]) => {
    setUsed(true);
    setAsked({ kind, now: nowSeconds() });
  };
  return (
    <>
      <Menu
        trigger={<Button icon={ListChecks}>Bulk actions</Button>}
        items={[
          { label: "Send all again…", onSelect: () => ask("send") },
          { label: "Cancel all pending…", loss: true, apart: true, onSelect: () => ask("cancel") },
        ]}
      />
      <Suspense>{used && <BulkDialogs search={search} asked={asked} onClose={() => setAsked(undefined)} />}</Suspense>
    </>
  );
}
