import { Link, type LinkProps } from "@tanstack/react-router";
import { LoaderCircle, type LucideIcon } from "lucide-react";
import type { ButtonHTMLAttributes, ReactNode } from "react";
import { classes } from "./classes.ts";

/** `ink` is for the primary action in a view, `bad` for destructive actions, and `quiet` for rows and toolbars. */
export type ButtonLook = "ink" | "line" | "quiet" | "bad";

const shape =
  "inline-flex shrink-0 items-center justify-center gap-2 rounded-control font-medium whitespace-nowrap transition-colors duration-[120ms] select-none disabled:cursor-not-allowed aria-disabled:cursor-not-allowed";
const looks: Record<ButtonLook, string> = {
  ink: "bg-ink text-on-ink hover:bg-[color-mix(in_srgb,var(--ink)_86%,var(--surface))] disabled:bg-neutral-tint disabled:text-text-3",
  line: "bg-surface text-text shadow-[inset_0_0_0_1px_var(--line),0_1px_2px_rgb(0_0_0/4%)] hover:bg-hover disabled:text-text-3",
  quiet: "text-text-2 hover:bg-hover hover:text-text disabled:text-text-3",
  bad: "bg-bad-button text-white hover:bg-[color-mix(in_srgb,var(--bad-button)_88%,black)] disabled:bg-neutral-tint disabled:text-text-3",
};
const sizes = { md: "h-8 px-3 touch:h-11 touch:px-4", sm: "h-7 px-2 touch:h-11 touch:px-3" };
const squares = { md: "size-8 touch:size-11", sm: "size-7 touch:size-11" };

interface Looks {
  look?: ButtonLook;
  size?: "md" | "sm";
  icon?: LucideIcon;
  children?: ReactNode;
}

export const buttonClass = ({ look = "line", size = "md", square = false }: Looks & { square?: boolean } = {}) =>
  classes(shape, looks[look], square ? squares[size] : sizes[size]);

/** While `busy` is true, a spinner of the same size replaces the icon. */
export function Button(props: ButtonHTMLAttributes<HTMLButtonElement> & Looks & { busy?: boolean }) {
  const { look, size, icon: Icon, busy = false, children, className, ...rest } = props;
  const square = children === undefined;
  const looked = buttonClass({ ...(look && { look }), ...(size && { size }), square });
  return (
    <button
      type="button"
      aria-disabled={busy || undefined}
      aria-busy={busy || undefined}
      {...rest}
      onClick={busy ? (event) => event.preventDefault() : rest.onClick}
      className={classes(looked, className)}
    >
      {busy ? <LoaderCircle className="animate-spin" size={16} aria-hidden /> : Icon && <Icon size={16} aria-hidden />}
      {children}
    </button>
  );
}

/** A button that shows only an icon. The label is its tooltip and accessible name. */
export function IconButton(
  props: Omit<ButtonHTMLAttributes<HTMLButtonElement>, "children"> & Looks & { label: string; icon: LucideIcon },
) {
  const { label, ...rest } = props;
  return <Button look="quiet" size="sm" aria-label={label} title={label} {...rest} />;
}

export function LinkButton({ look, size, icon: Icon, children, ...link }: LinkProps & Looks) {
  return (
    <Link {...link} className={buttonClass({ ...(look && { look }), ...(size && { size }) })}>
      {Icon && <Icon size={16} aria-hidden />}
      {children}
    </Link>
  );
}
