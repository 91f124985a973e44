import { Search, X } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { classes } from "./classes.ts";

const DEBOUNCE_MS = 200;

interface SearchFieldProps {
  /** The accessible name and the placeholder. */
  label: string;
  value: string;
  /** Called 200 ms after the last key press, and immediately on Enter or when cleared. */
  onSearch: (text: string) => void;
  className?: string;
}

/** The search field of a list, focused by "/". */
export function SearchField({ label, value, onSearch, className }: SearchFieldProps) {
  const [text, setText] = useState(value);
  const reported = useRef(value);
  if (value !== reported.current) {
    reported.current = value;
    if (value !== text) setText(value);
  }
  const report = (next: string) => {
    if (next === reported.current) return;
    reported.current = next;
    onSearch(next);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: only a change to the text starts the delay
  useEffect(() => {
    const timer = setTimeout(() => report(text.trim()), DEBOUNCE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <search className={classes("relative block", className)}>
      <Search
        size={14}
        className="pointer-events-none absolute top-1/2 left-3 -translate-y-1/2 text-text-3"
        aria-hidden
      />
      <input
        type="search"
        aria-label={label}
        placeholder={label}
        value={text}
        onChange={({ target }) => setText(target.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter") report(text.trim());
          if (event.key === "Escape") event.currentTarget.blur();
        }}
        className="peer h-8 w-full rounded-control bg-surface pr-9 pl-8.5 shadow-[inset_0_0_0_1px_var(--input)] outline-offset-0 [&::-webkit-search-cancel-button]:hidden touch:h-11 touch:text-[16px]"
      />
      {text === "" ? (
        <kbd className="pointer-events-none absolute top-1/2 right-2 -translate-y-1/2 rounded-tag px-1.5 font-sans text-meta text-text-3 shadow-[inset_0_0_0_1px_var(--line)] peer-focus:hidden touch:hidden">
          /
        </kbd>
      ) : (
        <button
          type="button"
          aria-label="Clear search"
          className="absolute top-1/2 right-1 grid size-6 -translate-y-1/2 place-items-center rounded-tag text-text-2 hover:bg-hover touch:size-9"
          onClick={() => {
            setText("");
            report("");
          }}
        >
          <X size={14} aria-hidden />
        </button>
      )}
    </search>
  );
}
