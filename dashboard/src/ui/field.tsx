import { ChevronDown } from "lucide-react";
import type { InputHTMLAttributes, ReactNode, SelectHTMLAttributes, TextareaHTMLAttributes } from "react";
import { useId } from "react";
import { classes } from "./classes.ts";

const box =
  "w-full min-w-0 rounded-control bg-surface text-text shadow-[inset_0_0_0_1px_var(--input)] outline-offset-0 touch:text-[16px] aria-invalid:shadow-[inset_0_0_0_1px_var(--bad)] disabled:bg-sunken disabled:text-text-3";

interface FieldProps {
  label: string;
  hint?: ReactNode;
  error?: string | undefined;
  hideLabel?: boolean;
}

function Field({ id, label, hint, error, hideLabel, children }: FieldProps & { id: string; children: ReactNode }) {
  return (
    <div className="flex min-w-0 flex-col gap-1.5">
      <label htmlFor={id} className={hideLabel ? "sr-only" : "font-medium"}>
        {label}
      </label>
      {children}
      {error ? (
        <p id={`${id}-note`} className="text-bad">
          {error}
        </p>
      ) : (
        hint && (
          <p id={`${id}-note`} className="text-text-2">
            {hint}
          </p>
        )
      )}
    </div>
  );
}

const described = (id: string, { hint, error }: FieldProps) => ({
  id,
  "aria-invalid": error ? true : undefined,
  "aria-describedby": hint || error ? `${id}-note` : undefined,
});

export function TextField(props: FieldProps & InputHTMLAttributes<HTMLInputElement> & { mono?: boolean }) {
  const { label, hint, error, hideLabel, mono, className, ...input } = props;
  const field = { label, hint, error, ...(hideLabel && { hideLabel }) };
  const id = useId();
  return (
    <Field id={id} {...field}>
      <input
        type="text"
        {...described(id, field)}
        {...input}
        className={classes(box, "h-8 px-3 touch:h-11", mono && "font-mono text-code", className)}
      />
    </Field>
  );
}

export function TextArea(props: FieldProps & TextareaHTMLAttributes<HTMLTextAreaElement> & { mono?: boolean }) {
  const { label, hint, error, hideLabel, mono, className, ...area } = props;
  const field = { label, hint, error, ...(hideLabel && { hideLabel }) };
  const id = useId();
  return (
    <Field id={id} {...field}>
      <textarea
        rows={4}
        {...described(id, field)}
        {...area}
        className={classes(box, "px-3 py-1.5", mono && "font-mono text-code", className)}
      />
    </Field>
  );
}

export function Select(props: FieldProps & SelectHTMLAttributes<HTMLSelectElement>) {
  const { label, hint, error, hideLabel, className, children, ...select } = props;
  const field = { label, hint, error, ...(hideLabel && { hideLabel }) };
  const id = useId();
  return (
    <Field id={id} {...field}>
      <span className="relative flex min-w-0">
        <select
          {...described(id, field)}
          {...select}
          className={classes(box, "h-8 appearance-none truncate pr-8 pl-3 touch:h-11", className)}
        >
          {children}
        </select>
        <ChevronDown
          size={14}
          className="pointer-events-none absolute top-1/2 right-2.5 -translate-y-1/2"
          aria-hidden
        />
      </span>
    </Field>
  );
}

export function Checkbox(props: InputHTMLAttributes<HTMLInputElement> & { label: ReactNode; hint?: ReactNode }) {
  const { label, hint, type = "checkbox", ...input } = props;
  return (
    <label className="flex gap-3 py-1.5 touch:py-2.5">
      <input type={type} {...input} className="mt-0.5 size-4 shrink-0 accent-accent touch:mt-0 touch:size-5" />
      <span className="min-w-0">
        <span className="block font-medium">{label}</span>
        {hint && <span className="block text-text-2">{hint}</span>}
      </span>
    </label>
  );
}
