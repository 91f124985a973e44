/** Sonner's part of toasts; fetched when the page stands still, or with the first toast. */
import { useEffect } from "react";
import { toast as show, Toaster } from "sonner";
import { useShownTheme } from "../shell/theme.ts";

let ready: () => void = () => {};
const shown = new Promise<void>((resolve) => {
  ready = resolve;
});

export function Toasts() {
  useEffect(() => ready(), []);
  const theme = useShownTheme();
  return <Toaster theme={theme} position="bottom-left" duration={6_000} toastOptions={{ className: "font-sans!" }} />;
}

/** Waits until there is a place for it: a toast told before would be lost. */
export async function showToast(...told: Parameters<typeof show>): Promise<void> {
  await shown;
  show(...told);
}

export async function showError(words: string): Promise<void> {
  await shown;
  show.error(words);
}
