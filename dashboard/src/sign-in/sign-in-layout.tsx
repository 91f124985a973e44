import type { ReactNode } from "react";
import { Logo } from "../shell/logo.tsx";
import { CopyField } from "../ui/copy.tsx";
import { useTitle } from "../ui/page.tsx";

interface SignInLayoutProps {
  title: string;
  description?: ReactNode;
  children: ReactNode;
}

/** The layout of pages outside the dashboard: sign-in, sign-up, and one-time links. */
export function SignInLayout({ title, description, children }: SignInLayoutProps) {
  useTitle(title);
  return (
    <main id="main" className="grid min-h-full place-items-center overflow-y-auto bg-surface px-4 py-10">
      <div className="w-full max-w-[360px]">
        <Logo size={32} />
        <h1 className="mt-5 text-title font-semibold">{title}</h1>
        {description && <p className="mt-1 text-read text-text-2">{description}</p>}
        <div className="mt-6">{children}</div>
      </div>
    </main>
  );
}

/** Shows the command to run on the server to regain access. */
export function LinkCommand({ label }: { label: string }) {
  return (
    <div className="mt-8 border-t border-line pt-4">
      <p className="mb-2 text-text-2">{label}</p>
      <CopyField text="npm run -s mave -- admin link" label="Copy command" />
    </div>
  );
}
