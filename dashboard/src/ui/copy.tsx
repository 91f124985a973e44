import { Check, Copy, type LucideIcon } from "lucide-react";
import { useEffect, useState } from "react";
import { IconButton } from "./button.tsx";
import { classes } from "./classes.ts";

const SHOWN_MS = 1_500;

/** Copies `text`, or fetches it first if `text` is a function. `copied` is true for 1.5 s after copying. */
export function useCopy(text: string | (() => Promise<string>)) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  const copy = async () => {
    await navigator.clipboard.writeText(typeof text === "string" ? text : await text());
    setCopied(true);
  };
  return { copied, copy };
}

interface CopyButtonProps {
  text: string | (() => Promise<string>);
  label: string;
  icon?: LucideIcon;
}

export function CopyButton({ text, label, icon = Copy }: CopyButtonProps) {
  const { copied, copy } = useCopy(text);
  return (
    <IconButton
      icon={copied ? Check : icon}
      label={copied ? "Copied" : label}
      onClick={copy}
      className="relative z-1 touch:size-9"
    />
  );
}

/** An ID or a URL on one line, with a copy button. */
export function CopyText({ text, label, className }: { text: string; label: string; className?: string }) {
  return (
    <span className={classes("inline-flex max-w-full min-w-0 items-center gap-1", className)}>
      <span className="truncate font-mono text-code" title={text}>
        {text}
      </span>
      <CopyButton text={text} label={label} />
    </span>
  );
}

/** Like CopyText, but in a box as wide as its container. */
export function CopyField({ text, label }: { text: string; label: string }) {
  return (
    <div className="flex h-9 min-w-0 items-center gap-2 rounded-control bg-sunken pr-1 pl-3 shadow-[inset_0_0_0_1px_var(--line)] touch:h-11">
      <span className="min-w-0 flex-1 truncate font-mono text-code" title={text}>
        {text}
      </span>
      <CopyButton text={text} label={label} />
    </div>
  );
}
