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
  const press = ({ currentTarget }: PointerEvent) => {
    const button = currentTarget.getBoundingClientRect();
    const release = (at: globalThis.PointerEvent) => isIn(button, at) && setTimeout(ask);
    addEventListener("pointerup", release, { once: true });
  };
  const waiting = cloneElement(trigger, { onPointerDown: press, onClick: ask, "aria-haspopup": "menu" });
  return (
    <Suspense fallback={waiting}>
      <LazyMenu key={String(asked)} trigger={trigger} items={items} startOpen={asked} {...place} />
    </Suspense>
  );
}

const isIn = ({ left, right, top, bottom }: DOMRect, { clientX, clientY }: MouseEvent): boolean =>
  clientX >= left && clientX <= right && clientY >= top && clientY <= bottom;
