/** The popups' chunk (dialogs, menus, palette: larger than React) is fetched when the first page stands still. */
import { lazy } from "react";

/** The first page has loaded and nothing more urgent is to be done. */
export const standingStill = new Promise<void>((resolve) => {
  const soon = () =>
    "requestIdleCallback" in window ? requestIdleCallback(() => resolve()) : setTimeout(resolve, 200);
  if (document.readyState === "complete") soon();
  else addEventListener("load", soon, { once: true });
});

let hurry: () => void = () => {};
const asked = new Promise<void>((resolve) => {
  hurry = resolve;
});
/** Fetches the menus now, because a person has asked for one. */
export const hurryMenus = (): void => hurry();

const load = () => import("./popups.tsx");

export const LazyDialog = lazy(async () => ({ default: (await load()).DialogPopup }));
export const LazyPalette = lazy(async () => ({ default: (await load()).PalettePopup }));
/** Menus are on every page from its start, so theirs waits. */
export const LazyMenu = lazy(async () => {
  await Promise.race([standingStill, asked]);
  return { default: (await load()).MenuPopup };
});
