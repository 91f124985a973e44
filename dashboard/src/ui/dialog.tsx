import { type ReactNode, Suspense, useState } from "react";
import { Button } from "./button.tsx";
import { LazyDialog } from "./lazy-loading.tsx";
import type { DialogPopupProps } from "./popups.tsx";
import { ErrorLine } from "./states.tsx";

/** A dialog whose code is loaded when it first opens. It stays mounted so that focus returns to where it was. */
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
  /** The consequence of the action, with a count. */
  children: ReactNode;
  verb: string;
  /** Whether the action is destructive. If it is, the button is red. */
  loss?: boolean;
  busy?: boolean;
  error?: unknown;
  onConfirm: () => void;
  disabled?: boolean;
  /** Options shown below the text. */
  more?: ReactNode;
  /** The label of the button that closes the dialog; "Cancel" by default. */
  stay?: string;
  /** A less destructive action, shown before the main button. */
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
