import type { LucideIcon } from "lucide-react";
import { cloneElement, type HTMLAttributes, type PointerEvent, type ReactElement, Suspense, useState } from "react";
import { LazyMenu, loadMenusNow } from "./lazy-loading.tsx";

export interface MenuItem {
  label: string;
  icon?: LucideIcon;
  onSelect: () => void;
  /** Destructive: shown in red. */
  loss?: boolean;
  /** With a separator above. */
  apart?: boolean;
  disabled?: boolean;
  /** At the right: a shortcut, or a check mark for the current choice. */
  end?: string;
}

interface MenuProps {
  /** A button. A click before the menu's code is loaded opens the menu afterwards. */
  trigger: ReactElement<HTMLAttributes<HTMLElement>>;
  items: MenuItem[];
  align?: "start" | "end";
  side?: "top" | "bottom";
}

export function Menu({ trigger, items, ...place }: MenuProps) {
  const [isRequested, setIsRequested] = useState(false);
  const request = () => {
    setIsRequested(true);
    loadMenusNow();
  };
  // If the code arrives while the button is pressed, the button is replaced and its click is lost. So the release counts.
  const press = ({ currentTarget, button }: PointerEvent) => {
    if (button !== MAIN_BUTTON) return;
    const bounds = currentTarget.getBoundingClientRect();
    const released = new AbortController();
    const release = (at: globalThis.PointerEvent) => {
      released.abort();
      if (at.type === "pointerup" && isIn(bounds, at)) setTimeout(request);
    };
    for (const end of ["pointerup", "pointercancel"] as const)
      addEventListener(end, release, { signal: released.signal });
  };
  const placeholder = cloneElement(trigger, { onPointerDown: press, onClick: request, "aria-haspopup": "menu" });
  return (
    <Suspense fallback={placeholder}>
      <LazyMenu key={String(isRequested)} trigger={trigger} items={items} startOpen={isRequested} {...place} />
    </Suspense>
  );
}

const MAIN_BUTTON = 0;

const isIn = ({ left, right, top, bottom }: DOMRect, { clientX, clientY }: MouseEvent): boolean =>
  clientX >= left && clientX <= right && clientY >= top && clientY <= bottom;
