import { type ReactNode, Suspense, useState } from "react";
import { Button } from "./button.tsx";
import { LazyDialog } from "./lazy-loading.tsx";
import type { DialogPopupProps } from "./popups.tsx";
import { ErrorLine } from "./states.tsx";

/** A dialog whose code loads when it first opens. It then stays mounted, so that closing it can restore the focus. */
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
  /** States what the action will do, and to how many items. */
  children: ReactNode;
  verb: string;
  /** Makes the button red, for a destructive action. */
  loss?: boolean;
  busy?: boolean;
  error?: unknown;
  onConfirm: () => void;
  disabled?: boolean;
  /** Options shown below the text. */
  more?: ReactNode;
  /** The label of the button that closes the dialog without acting. The default is "Cancel". */
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
