import { lazy, Suspense } from "react";
import { Skeleton } from "../ui/states.tsx";

const Sources = lazy(() => import("./receiver-examples.tsx"));

/** A receiver to copy, in four languages. Their sources are fetched only where they are shown. */
export function Receivers() {
  return (
    <Suspense fallback={<Skeleton className="h-96 w-full" />}>
      <Sources />
    </Suspense>
  );
}
