import { lazy, Suspense } from "react";
import { Skeleton } from "../ui/states.tsx";

/** The sources of all examples are loaded only on the pages that show them. */
const LazyExamples = lazy(() => import("./receiver-examples.tsx"));

export const ReceiverExamples = () => (
  <Suspense fallback={<Skeleton className="h-96 w-full" />}>
    <LazyExamples />
  </Suspense>
);
