/** The popups' chunk (dialogs, menus, palette: larger than React) is fetched when the first page stands still. */
import { lazy } from "react";

const shown = Promise.withResolvers<void>();
/** Every page says so when it is there, by its title. */
export const pageIsShown = shown.resolve;

/** The first page is there, its fonts too, and nothing more urgent is to be done. What is fetched before is the first load. */
export const standingStill = shown.promise
  .then(() => document.fonts.ready)
  .then(
    () =>
      new Promise<void>((resolve) =>
        "requestIdleCallback" in window ? requestIdleCallback(() => resolve()) : setTimeout(resolve, 200),
      ),
  )
  .then(() => void performance.mark("standing-still"));

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
