import { Fragment, type ReactNode } from "react";
import { classes } from "./classes.ts";

export function CodeBlock({ label, children, className }: { label: string; children: ReactNode; className?: string }) {
  return (
    <section
      aria-label={label}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region must be focusable to scroll by keyboard
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

/** Returns indented JSON, or undefined if the text is not JSON. Integers above 2^53 are exact only in the raw view. */
export function prettyJson(text: string): string | undefined {
  try {
    return JSON.stringify(JSON.parse(text), null, 2);
  } catch {
    return undefined;
  }
}

/** Matches a line of JSON that has a key, and captures the indentation, the key, and the rest. */
const KEY = /^(\s*)("(?:[^"\\]|\\.)*")(:.*)$/;

/** Shows JSON with its keys highlighted. */
export function Json({ text }: { text: string }) {
  return text.split("\n").map((line, at) => {
    const [, indent, key, rest] = KEY.exec(line) ?? [];
    return (
      // biome-ignore lint/suspicious/noArrayIndexKey: the text never changes
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
