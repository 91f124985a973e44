/** Receipts for what was done, 6 s long, some with Undo; never an error's only place. */
import type { ToastT } from "sonner";
import { hurryToasts } from "./lazily.tsx";

type Options = Pick<ToastT, "action" | "description" | "id" | "duration">;

const told = async () => {
  hurryToasts();
  return import("./toaster.tsx");
};

export function toast(words: string, options?: Partial<Options>): void {
  void told().then(({ showToast }) => showToast(words, options));
}

toast.error = (words: string): void => {
  void told().then(({ showError }) => showError(words));
};
