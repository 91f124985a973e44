import { type ReactNode, Suspense, useState } from "react";
import { Button } from "./button.tsx";
import { LazyDialog } from "./lazily.tsx";
import type { DialogPopupProps } from "./popups.tsx";
import { ErrorLine } from "./states.tsx";

/** A dialog whose code is fetched at its first opening; it stays mounted so that focus returns where it was. */
export function Dialog(props: DialogPopupProps) {
  const [used, setUsed] = useState(props.open);
  if (props.open && !used) setUsed(true);
  if (!used) return null;
  return (
    <Suspense>
      <LazyDialog {...props} />
    </Suspense>
  );
}

interface ConfirmProps {
  open: boolean;
  onClose: () => void;
  title: string;
  /** What happens, with its count. */
  children: ReactNode;
  verb: string;
  /** The button is red: something is lost. */
  loss?: boolean;
  busy?: boolean;
  error?: unknown;
  onConfirm: () => void;
  /** The verb cannot be chosen yet. */
  disabled?: boolean;
  /** What can be chosen, below the sentence. */
  more?: ReactNode;
  /** The button that does nothing; left out: Cancel. */
  stay?: string;
  /** A milder choice to offer, left of the verb. */
  instead?: ReactNode;
}

export function Confirm(props: ConfirmProps) {
  const {
    open,
    onClose,
    title,
    children,
    verb,
    loss,
    busy,
    disabled,
    more,
    error,
    onConfirm,
    instead,
    stay = "Cancel",
  } = props;
  const actions = (
    <>
      <Button onClick={onClose}>{stay}</Button>
      {instead}
      <Button look={loss ? "bad" : "ink"} busy={busy ?? false} disabled={disabled ?? false} onClick={onConfirm}>
        {verb}
      </Button>
    </>
  );
  return (
    <Dialog open={open} onClose={onClose} title={title} description={children} actions={actions}>
      {error || more ? (
        <div className="flex flex-col gap-4">
          {more}
          {error ? <ErrorLine error={error} /> : undefined}
        </div>
      ) : undefined}
    </Dialog>
  );
}
