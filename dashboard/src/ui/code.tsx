import { Fragment, type ReactNode } from "react";
import { classes } from "./classes.ts";

/** Text in mono, as it is; it scrolls by itself, so the keyboard can reach it. */
export function CodeBlock({ label, children, className }: { label: string; children: ReactNode; className?: string }) {
  return (
    <section
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so the keyboard has to reach it
      tabIndex={0}
      className={classes(
        "max-h-96 min-w-0 overflow-auto rounded-panel bg-sunken shadow-[inset_0_0_0_1px_var(--line)]",
        className,
      )}
    >
      <pre className="w-fit min-w-full p-4 font-mono text-code [overflow-wrap:normal]">{children}</pre>
    </section>
  );
}

/** JSON made readable, undefined where the text is not JSON. Numbers keep their digits only up to 2^53: see the raw view. */
export function prettyJson(text: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return undefined;
  }
}

/** A line that begins with a key: indentation, key, the rest. */
const KEY = /^(\s*)("(?:[^"\\]|\\.)*")(:.*)$/;

/** Keys in the accent, everything else as text: enough to find one's way. */
export function Json({ text }: { text: string }) {
  return text.split("\n").map((line, at) => {
    const [, indent, key, rest] = KEY.exec(line) ?? [];
    return (
      // biome-ignore lint/suspicious/noArrayIndexKey: lines of one unchanging text
      <Fragment key={at}>
        {at > 0 && "\n"}
        {key === undefined ? (
          line
        ) : (
          <>
            {indent}
            <span className="text-accent">{key}</span>
            {rest}
          </>
        )}
      </Fragment>
    );
  });
}
