/** Code that loads once the first page is idle: dialogs, menus, toasts, and the command palette. */
import { lazy } from "react";

const shown = Promise.withResolvers<void>();
/** Called by each page when it sets its title. */
export const pageIsShown = shown.resolve;

/** Resolves once the first page is shown, its fonts have loaded, and the browser is idle. */
export const firstIdle = shown.promise
  .then(() => document.fonts.ready)
  .then(
    () =>
      new Promise<void>((resolve) =>
        "requestIdleCallback" in window ? requestIdleCallback(() => resolve()) : setTimeout(resolve, 200),
      ),
  )
  .then(() => void performance.mark("first-idle"));

/** Returns a promise that resolves once the page is idle, or earlier if `loadNow` is called. */
function whenIdle(): { ready: Promise<void>; loadNow: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { ready: Promise.race([firstIdle, promise]), loadNow: resolve };
}

const menus = whenIdle();
const toasts = whenIdle();
export const loadMenusNow = menus.loadNow;
export const loadToastsNow = toasts.loadNow;

const RETRIES = 20;
const RETRY_MS = 3_000; // same as the change stream's reconnect interval

/** Loads a module. If the server is unreachable, retries for a minute before failing. */
export async function loadWithRetry<Module>(load: () => Promise<Module>): Promise<Module> {
  for (let left = RETRIES; ; left--) {
    try {
      return await load();
    } catch (error) {
      if (left === 0) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

const load = () => loadWithRetry(() => import("./popups.tsx"));

export const LazyDialog = lazy(async () => ({ default: (await load()).DialogPopup }));
export const LazyPalette = lazy(async () => ({ default: (await load()).PalettePopup }));
/** Every page has menus and toasts, so their code loads when the first page is idle, or earlier if it is needed. */
export const LazyMenu = lazy(async () => {
  await menus.ready;
  return { default: (await load()).MenuPopup };
});
export const LazyToasts = lazy(async () => {
  await toasts.ready;
  return { default: (await loadWithRetry(() => import("./toaster.tsx"))).Toasts };
});
