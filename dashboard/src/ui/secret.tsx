import { Eye, EyeOff } from "lucide-react";
import { useState } from "react";
import { IconButton } from "./button.tsx";
import { CopyButton } from "./copy.tsx";
import { ErrorLine } from "./states.tsx";

interface SecretProps {
  /** The prefix of the secret, such as "whsec_". */
  prefix: string;
  /** The last characters of the secret. */
  hint: string;
  /** Called only on demand, since revealing a secret is recorded in the audit log. */
  fetch: () => Promise<string>;
}

export function Secret({ prefix, hint, fetch }: SecretProps) {
  const [shown, setShown] = useState<string>();
  const [error, setError] = useState<unknown>();
  const reveal = () => fetch().then(setShown, setError);
  return (
    <div className="flex flex-col gap-2">
      <div className="flex h-9 min-w-0 items-center rounded-control bg-sunken pr-1 pl-3 shadow-[inset_0_0_0_1px_var(--line)] touch:h-11">
        <span className="min-w-0 flex-1 truncate font-mono text-code" title={shown}>
          {shown ?? `${prefix}${"•".repeat(10)}${hint}`}
        </span>
        {shown === undefined ? (
          <IconButton icon={Eye} label="Reveal secret" onClick={reveal} className="touch:size-9" />
        ) : (
          <IconButton icon={EyeOff} label="Hide secret" onClick={() => setShown(undefined)} className="touch:size-9" />
        )}
        <CopyButton text={fetch} label="Copy secret" />
      </div>
      <ErrorLine error={error} />
    </div>
  );
}
