import { Link, type LinkProps } from "@tanstack/react-router";
import { number } from "../format.ts";
import { classes } from "./classes.ts";

export interface Tab {
  label: string;
  count?: number | undefined;
  active: boolean;
  link: LinkProps;
}

/** Links to the states of a list, so that each state has a URL. Scrolls sideways on a phone. */
export function StateTabs({ label, tabs }: { label: string; tabs: Tab[] }) {
  return (
    <nav aria-label={label} className="-mx-1 flex min-w-0 gap-1 overflow-x-auto p-1 [scrollbar-width:none]">
      {tabs.map(({ label, count, active, link }) => (
        <Link
          key={label}
          {...link}
          aria-current={active ? "true" : undefined}
          className={classes(
            "flex h-7 shrink-0 items-center gap-1.5 rounded-control px-2.5 font-medium transition-colors duration-[120ms] touch:h-10",
            active ? "bg-neutral-tint text-text" : "text-text-2 hover:bg-hover hover:text-text",
          )}
        >
          {label}
          {count !== undefined && <span className="font-normal text-text-2 numbers">{number(count)}</span>}
        </Link>
      ))}
    </nav>
  );
}

interface ChoicesProps {
  label: string;
  options: readonly string[];
  chosen: string;
  onChoose: (option: string) => void;
}

/** Lets the user choose one option. Uses toggle buttons, since a tab list requires panels and arrow keys. */
export function Choices({ label, options, chosen, onChoose }: ChoicesProps) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset adds a border and a legend
    <div
      role="group"
      aria-label={label}
      className="-mx-1 flex min-w-0 gap-1 overflow-x-auto p-1 [scrollbar-width:none]"
    >
      {options.map((option) => (
        <button
          key={option}
          type="button"
          aria-pressed={option === chosen}
          onClick={() => onChoose(option)}
          className={classes(
            "h-7 shrink-0 rounded-control px-2.5 font-medium transition-colors duration-[120ms] touch:h-10",
            option === chosen ? "bg-neutral-tint text-text" : "text-text-2 hover:bg-hover hover:text-text",
          )}
        >
          {option}
        </button>
      ))}
    </div>
  );
}
