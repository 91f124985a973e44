import { createContext, type RefObject, use, useLayoutEffect, useState } from "react";

/** Below it tables become lists of two-line rows; the same width as the CSS variant `narrow`. */
const NARROW_PX = 720;

export const PaneContext = createContext(1_200);

export const useIsNarrow = (): boolean => use(PaneContext) < NARROW_PX;

export function usePaneWidth(pane: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(() => window.innerWidth);
  useLayoutEffect(() => {
    const element = pane.current;
    if (element === null) return;
    setWidth(element.clientWidth);
    const observer = new ResizeObserver(() => setWidth(element.clientWidth));
    observer.observe(element);
    return () => observer.disconnect();
  }, [pane]);
  return width;
}
