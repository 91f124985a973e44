import { useAging } from "../clock.ts";
import { ago, localAndUtc, span } from "../format.ts";

const iso = (unix: number) => new Date(unix * 1_000).toISOString();

/** A relative time that updates itself, with local time and UTC on hover. */
export function Ago({ at }: { at: number }) {
  const text = useAging((now) => ago(at, now));
  return (
    <time dateTime={iso(at)} title={localAndUtc(at)} className="whitespace-nowrap numbers">
      {text}
    </time>
  );
}

/** A formatted time, with local time and UTC on hover. */
export function When({ at, children }: { at: number; children: string }) {
  return (
    <time dateTime={iso(at)} title={localAndUtc(at)} className="numbers">
      {children}
    </time>
  );
}

/** Counts down to a time: "in 40 s" and finally "now". */
export function Until({ at }: { at: number }) {
  const text = useAging((now) => (at <= now ? "now" : `in ${span(at - now)}`));
  return (
    <time dateTime={iso(at)} title={localAndUtc(at)} className="numbers">
      {text}
    </time>
  );
}
