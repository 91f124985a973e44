import type { LucideIcon } from "lucide-react";
import { cloneElement, type HTMLAttributes, type PointerEvent, type ReactElement, Suspense, useState } from "react";
import { hurryMenus, LazyMenu } from "./lazily.tsx";

export interface MenuItem {
  word: string;
  icon?: LucideIcon;
  onSelect: () => void;
  /** Red: something is lost. */
  loss?: boolean;
  /** A line above it. */
  apart?: boolean;
  disabled?: boolean;
  /** At the right: a key, or a mark for the present choice. */
  end?: string;
}

interface MenuProps {
  /** A button; until the menu's code is here it waits for a click and then opens by itself. */
  trigger: ReactElement<HTMLAttributes<HTMLElement>>;
  items: MenuItem[];
  align?: "start" | "end";
  side?: "top" | "bottom";
}

export function Menu({ trigger, items, ...place }: MenuProps) {
  const [asked, setAsked] = useState(false);
  const ask = () => {
    setAsked(true);
    hurryMenus();
  };
  // Where the code comes while the button is held down, the button is gone at its release, and the click with it.
  const press = ({ currentTarget, button }: PointerEvent) => {
    if (button !== MAIN_BUTTON) return;
    const place = currentTarget.getBoundingClientRect();
    const over = new AbortController();
    const release = (at: globalThis.PointerEvent) => {
      over.abort();
      if (at.type === "pointerup" && isIn(place, at)) setTimeout(ask);
    };
    for (const end of ["pointerup", "pointercancel"] as const) addEventListener(end, release, { signal: over.signal });
  };
  const waiting = cloneElement(trigger, { onPointerDown: press, onClick: ask, "aria-haspopup": "menu" });
  return (
    <Suspense fallback={waiting}>
      <LazyMenu key={String(asked)} trigger={trigger} items={items} startOpen={asked} {...place} />
    </Suspense>
  );
}

const MAIN_BUTTON = 0;

const isIn = ({ left, right, top, bottom }: DOMRect, { clientX, clientY }: MouseEvent): boolean =>
  clientX >= left && clientX <= right && clientY >= top && clientY <= bottom;
