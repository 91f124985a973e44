/** What is done with all deliveries of the current filter: send again by a replay, or cancel. */
import { ListChecks } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { nowSeconds } from "../clock.ts";
import type { DeliverySearch } from "../shell/search.ts";
import { Button } from "../ui/button.tsx";
import { Menu } from "../ui/menu.tsx";

/** Fetched when first asked for: the page's first load has a bound. */
const BulkDialogs = lazy(() => import("./bulk-dialogs.tsx"));

export function BulkActions({ search }: { search: DeliverySearch }) {
  const [asked, setAsked] = useState<{ what: "send" | "cancel"; now: number }>();
  const [used, setUsed] = useState(false);
  const ask = (what: "send" | "cancel") => {
    setUsed(true);
    setAsked({ what, now: nowSeconds() });
  };
  return (
    <>
      <Menu
        trigger={<Button icon={ListChecks}>With all of these</Button>}
        items={[
          { word: "Send all again…", onSelect: () => ask("send") },
          { word: "Cancel all that are open…", loss: true, apart: true, onSelect: () => ask("cancel") },
        ]}
      />
      <Suspense>{used && <BulkDialogs search={search} asked={asked} onClose={() => setAsked(undefined)} />}</Suspense>
    </>
  );
}
