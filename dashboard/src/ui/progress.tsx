/** How much of a whole is done. */
export function Progress({ label, done, total }: { label: string; done: number; total: number }) {
  const share = total === 0 ? 100 : Math.min(100, (100 * done) / total);
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={100}
      aria-valuenow={Math.floor(share)}
      className="h-1 overflow-hidden rounded-full bg-neutral-tint"
    >
      <div className="h-full bg-accent transition-[width] duration-[120ms]" style={{ width: `${share}%` }} />
    </div>
  );
}
