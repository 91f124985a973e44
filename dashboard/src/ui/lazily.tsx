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

const TRIES = 20;
const AGAIN_MS = 3_000; // as often as the page looks whether the server is back

/** Code of which a page needs the rest no less: where the server is away just then, it is fetched when it is back. */
export async function fetched<Module>(load: () => Promise<Module>): Promise<Module> {
  for (let left = TRIES; ; left--) {
    try {
      return await load();
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
}

const load = () => fetched(() => import("./popups.tsx"));

export const LazyDialog = lazy(async () => ({ default: (await load()).DialogPopup }));
export const LazyPalette = lazy(async () => ({ default: (await load()).PalettePopup }));
/** Menus and toasts belong to every page from its start, so their code waits. */
export const LazyMenu = lazy(async () => {
  await menus.reached;
  return { default: (await load()).MenuPopup };
});
export const LazyToasts = lazy(async () => {
  await toasts.reached;
  return { default: (await fetched(() => import("./toaster.tsx"))).Toasts };
});
