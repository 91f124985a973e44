/** Placeholders for content: loading, error, and empty states. */
import { RotateCw } from "lucide-react";
import type { ReactNode } from "react";
import { ApiError } from "../api/client.ts";
import { Button } from "./button.tsx";
import { classes } from "./classes.ts";

/** A gray placeholder of the same size as the content. It appears only if loading takes more than 150 ms. */
export function Skeleton({ className }: { className?: string }) {
  return (
    <span aria-hidden className={classes("fade-late block rounded-tag bg-neutral-tint", className ?? "h-4 w-24")} />
  );
}

export function SkeletonRows({ rows = 8, height = "h-11" }: { rows?: number; height?: string }) {
  return (
    <div role="status" aria-label="Loading">
      {Array.from({ length: rows }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows are identical
        <div key={row} className={classes("gutter flex items-center gap-6 border-b border-line", height)}>
          <Skeleton className="h-3 w-24" />
          <Skeleton className="h-3 flex-1" />
          <Skeleton className="h-3 w-16" />
        </div>
      ))}
    </div>
  );
}

const describe = (error: unknown): { message: string; code: string } =>
  error instanceof ApiError
    ? { message: error.problem.detail, code: error.problem.code }
    : { message: "An error occurred in the dashboard.", code: error instanceof Error ? error.message : String(error) };

/** Shows the error, its code, and a button to try again. */
export function ErrorState({ error, retry }: { error: unknown; retry?: () => void }) {
  const { message, code } = describe(error);
  return (
    <div role="alert" className="gutter max-w-[78ch] py-8">
      <p className="text-read font-medium text-bad">{message}</p>
      <p className="mt-1 font-mono text-code text-text-2">{code}</p>
      {retry && (
        <Button icon={RotateCw} className="mt-4" onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}

/** An error inside a form or a dialog. */
export function ErrorLine({ error }: { error: unknown }) {
  if (error === null || error === undefined) return null;
  const { message, code } = describe(error);
  return (
    <p role="alert" className="rounded-control bg-bad-tint px-3 py-2 text-bad">
      {message} <span className="font-mono text-code">{code}</span>
    </p>
  );
}

/** Shown instead of an empty list, with a title, a sentence, and the next step. */
export function Empty({ title, children, action }: { title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="gutter max-w-[calc(78ch+64px)] py-10">
      <h2 className="text-dialog font-semibold">{title}</h2>
      {children && <div className="mt-1 text-read text-text-2">{children}</div>}
      {action && <div className="mt-4 flex flex-wrap gap-2">{action}</div>}
    </div>
  );
}
