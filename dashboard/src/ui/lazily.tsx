/** The popups' chunk (dialogs, menus, palette: larger than React) is fetched when the first page stands still. */
import { lazy } from "react";

/** The first page has loaded and nothing more urgent is to be done. What is fetched before is the first load. */
export const standingStill = new Promise<void>((resolve) => {
  const still = () => {
    performance.mark("standing-still");
    resolve();
  };
  const soon = () => ("requestIdleCallback" in window ? requestIdleCallback(still) : setTimeout(still, 200));
  if (document.readyState === "complete") soon();
  else addEventListener("load", soon, { once: true });
});

/** Resolves when the page stands still, or when a person asks first: then `hurry` is called. */
function whenIdle(): { reached: Promise<void>; hurry: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { reached: Promise.race([standingStill, promise]), hurry: resolve };
}

const menus = whenIdle();
const toasts = whenIdle();
export const hurryMenus = menus.hurry;
export const hurryToasts = toasts.hurry;

const load = () => import("./popups.tsx");

export const LazyDialog = lazy(async () => ({ default: (await load()).DialogPopup }));
export const LazyPalette = lazy(async () => ({ default: (await load()).PalettePopup }));
/** Menus and toasts belong to every page from its start, so their code waits. */
export const LazyMenu = lazy(async () => {
  await menus.reached;
  return { default: (await load()).MenuPopup };
});
export const LazyToasts = lazy(async () => {
  await toasts.reached;
  return { default: (await import("./toaster.tsx")).Toasts };
});
