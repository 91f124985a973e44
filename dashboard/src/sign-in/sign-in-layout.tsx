/** The frame of the pages that come before the dashboard: the mark, a title, a form, and the way in for who is locked out. */
import type { ReactNode } from "react";
import { Mark } from "../shell/logo.tsx";
import { CopyField } from "../ui/copy.tsx";
import { useTitle } from "../ui/page.tsx";

export function Entrance({ title, sentence, children }: { title: string; sentence: ReactNode; children: ReactNode }) {
  useTitle(title);
  return (
    <main id="main" className="grid min-h-full place-items-center overflow-y-auto bg-surface px-4 py-10">
      <div className="w-full max-w-[360px]">
        <Mark size={32} />
        <h1 className="mt-5 text-title font-semibold">{title}</h1>
        <div className="mt-1 text-read text-text-2">{sentence}</div>
        <div className="mt-6">{children}</div>
      </div>
    </main>
  );
}

const COMMAND = "npm run -s mave -- admin link";

export function LockedOut({ words }: { words: string }) {
  return (
    <div className="mt-8 border-t border-line pt-4">
      <p className="mb-2 text-text-2">{words}</p>
      <CopyField text={COMMAND} label="Copy the command" />
    </div>
  );
}
