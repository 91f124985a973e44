/** Shows confirmations for 6 s, some with an Undo button. An error shown as a toast must also appear on the page. */
import type { ToastT } from "sonner";
import { loadToastsNow } from "./lazy-loading.tsx";

type Options = Pick<ToastT, "action" | "description" | "id" | "duration">;

const load = async () => {
  loadToastsNow();
  return import("./toaster.tsx");
};

export function toast(message: string, options?: Partial<Options>): void {
  void load().then(({ showToast }) => showToast(message, options));
}

toast.error = (message: string): void => {
  void load().then(({ showError }) => showError(message));
};
