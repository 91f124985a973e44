/** All components built on @base-ui/react, in one chunk that is loaded when the page is idle (see lazy-loading.tsx). */
import { Dialog } from "@base-ui/react/dialog";
import { Menu } from "@base-ui/react/menu";
import { X } from "lucide-react";
import { Fragment, type ReactElement, type ReactNode } from "react";
import { buttonClass } from "./button.tsx";
import { classes } from "./classes.ts";
import type { MenuItem } from "./menu.tsx";

export { PalettePopup } from "../shell/command-palette.tsx";

export interface DialogPopupProps {
  open: boolean;
  onClose: () => void;
  title: string;
  /** The text below the title. */
  description?: ReactNode;
  children?: ReactNode;
  /** Buttons, with the primary action last. */
  actions?: ReactNode;
  wide?: boolean;
}

/** A centered dialog, or a bottom sheet on a phone. */
export function DialogPopup({ open, onClose, title, description, children, actions, wide }: DialogPopupProps) {
  return (
    <Dialog.Root open={open} onOpenChange={(next) => next || onClose()}>
      <Dialog.Portal>
        <Dialog.Backdrop className="popup-motion fixed inset-0 z-40 bg-scrim" />
        <Dialog.Viewport className="fixed inset-0 z-40 grid place-items-center overflow-auto p-4 max-rail:items-end max-rail:p-0">
          <Dialog.Popup
            className={classes(
              "popup-motion relative w-full rounded-popup bg-raised p-5 shadow-popup outline-none max-rail:max-h-[92dvh] max-rail:overflow-auto max-rail:rounded-b-none max-rail:pb-[max(20px,env(safe-area-inset-bottom))]",
              wide ? "max-w-[640px]" : "max-w-[440px]",
            )}
          >
            <Dialog.Title className="pr-9 text-dialog font-semibold">{title}</Dialog.Title>
            {description && (
              <Dialog.Description render={<div />} className="mt-1 text-read text-text-2">
                {description}
              </Dialog.Description>
            )}
            {children && <div className="mt-4">{children}</div>}
            {actions && <div className="mt-5 flex flex-wrap justify-end gap-2">{actions}</div>}
            <Dialog.Close
              className={classes(buttonClass({ look: "quiet", size: "sm", square: true }), "absolute top-4 right-4")}
              aria-label="Close"
            >
              <X size={16} aria-hidden />
            </Dialog.Close>
          </Dialog.Popup>
        </Dialog.Viewport>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

const itemClass =
  "flex h-8 items-center gap-2.5 rounded-control px-2.5 outline-none select-none data-highlighted:bg-hover data-disabled:text-text-3 touch:h-11";

export interface MenuPopupProps {
  trigger: ReactElement;
  items: MenuItem[];
  startOpen: boolean;
  align?: "start" | "end";
  side?: "top" | "bottom";
}

export function MenuPopup({ trigger, items, startOpen, align = "end", side = "bottom" }: MenuPopupProps) {
  return (
    <Menu.Root defaultOpen={startOpen} modal={false}>
      <Menu.Trigger render={trigger} />
      <Menu.Portal>
        <Menu.Positioner className="z-50 outline-none" sideOffset={6} align={align} side={side} collisionPadding={8}>
          <Menu.Popup className="popup-motion max-h-(--available-height) min-w-48 overflow-auto rounded-popup bg-raised p-1.5 shadow-popup outline-none">
            {items.map((item) => (
              <Fragment key={item.label}>
                {item.apart && <Menu.Separator className="mx-2 my-1.5 h-px bg-line" />}
                <Menu.Item
                  className={classes(itemClass, item.loss ? "text-bad" : "text-text")}
                  onClick={item.onSelect}
                  disabled={item.disabled ?? false}
                >
                  {item.icon && <item.icon size={16} className={item.loss ? "" : "text-text-2"} aria-hidden />}
                  <span className="flex-1">{item.label}</span>
                  {item.end && <span className="pl-4 text-text-3">{item.end}</span>}
                </Menu.Item>
              </Fragment>
            ))}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  );
}
