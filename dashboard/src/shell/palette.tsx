import { Suspense, useState } from "react";
import { LazyPalette } from "../ui/lazily.tsx";

/** ⌘K. Its code comes with the other popups, at the first opening or when the page is idle. */
export function Palette({ open, onClose }: { open: boolean; onClose: () => void }) {
  const [used, setUsed] = useState(open);
  if (open && !used) setUsed(true);
  if (!used) return null;
  return (
    <Suspense>
      <LazyPalette open={open} onClose={onClose} />
    </Suspense>
  );
}
