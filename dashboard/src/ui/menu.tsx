import type { LucideIcon } from "lucide-react";
import { cloneElement, type HTMLAttributes, type PointerEvent, type ReactElement, Suspense, useState } from "react";
import { LazyMenu, loadMenusNow } from "./lazy-loading.tsx";

export interface MenuItem {
  label: string;
  icon?: LucideIcon;
  onSelect: () => void;
  /** Shows the item in red, because it is destructive. */
  loss?: boolean;
  /** Shows a separator above the item. */
  apart?: boolean;
  disabled?: boolean;
  /** A shortcut, or a check mark for the current choice, shown on the right. */
  end?: string;
}

interface MenuProps {
  /**
   * The button that opens the menu. If it is clicked before the menu's code has loaded, the menu opens once the code
   * has loaded.
   */
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
  // If the code loads while the button is pressed, the button is replaced and the click is lost, so handle the release.
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
