/** The light, dark, or system theme. public/theme.js applies the stored choice before the first paint. */
import { useSyncExternalStore } from "react";

export type Theme = "light" | "dark" | "system";
const STORED = "mave.theme";
const system = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

export const theme = (): Theme => (localStorage.getItem(STORED) as Theme | null) ?? "system";

function apply() {
  const choice = theme();
  const dark = choice === "dark" || (choice === "system" && system.matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  for (const listener of listeners) listener();
}
system.addEventListener("change", apply);

export function setTheme(choice: Theme): void {
  localStorage.setItem(STORED, choice);
  apply();
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const useTheme = (): Theme => useSyncExternalStore(subscribe, theme);
/** Returns the theme in effect, for elements that CSS cannot color. */
export const useShownTheme = (): "light" | "dark" =>
  useSyncExternalStore(subscribe, () => (document.documentElement.dataset.theme === "dark" ? "dark" : "light"));
