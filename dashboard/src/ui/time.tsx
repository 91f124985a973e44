import { useAging } from "../clock.ts";
import { ago, localAndUtc, span } from "../format.ts";

const iso = (unix: number) => new Date(unix * 1_000).toISOString();

/** How long ago, ageing by itself; the title says local time and UTC. */
export function Ago({ at }: { at: number }) {
  const text = useAging((now) => ago(at, now));
  return (
    <time dateTime={iso(at)} title={localAndUtc(at)} className="whitespace-nowrap numbers">
      {text}
    </time>
  );
}

/** An instant in the words given, e.g. from format.moment. */
export function When({ at, children }: { at: number; children: string }) {
  return (
    <time dateTime={iso(at)} title={localAndUtc(at)} className="numbers">
      {children}
    </time>
  );
}

/** "in 40 s", counting down; "now" once it is due. */
export function Until({ at }: { at: number }) {
  const text = useAging((now) => (at <= now ? "now" : `in ${span(at - now)}`));
  return (
    <time dateTime={iso(at)} title={localAndUtc(at)} className="numbers">
      {text}
    </time>
  );
}
