/** Renders toasts with Sonner. Loaded when the page is idle, or with the first toast. */
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

/** Waits for the Toaster to mount, since toasts shown before then would be lost. */
export async function showToast(...args: Parameters<typeof show>): Promise<void> {
  await shown;
  show(...args);
}

export async function showError(message: string): Promise<void> {
  await shown;
  show.error(message);
}
