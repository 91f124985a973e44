import { lazy, Suspense } from "react";
import { Skeleton } from "../ui/states.tsx";

/** The example source code loads only on pages that show it. */
const LazyExamples = lazy(() => import("./receiver-examples.tsx"));

export const ReceiverExamples = () => (
  <Suspense fallback={<Skeleton className="h-96 w-full" />}>
    <LazyExamples />
  </Suspense>
);
