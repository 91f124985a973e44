/** The building blocks of a page in the main pane. */
import { Link, type LinkProps } from "@tanstack/react-router";
import { ChevronRight } from "lucide-react";
import { type ReactNode, useEffect } from "react";
import { classes } from "./classes.ts";
import { pageIsShown } from "./lazy-loading.tsx";

export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Mave`;
    pageIsShown();
  }, [title]);
}

/** The breadcrumbs above a detail page: a link to its list, then the page itself. */
export function Crumbs({
  to,
  parent,
  children,
  end,
}: {
  to: NonNullable<LinkProps["to"]>;
  parent: string;
  children: ReactNode;
  end?: ReactNode;
}) {
  return (
    <nav
      aria-label="Breadcrumb"
      className="gutter flex h-11 shrink-0 items-center gap-1.5 border-b border-line text-text-2"
    >
      <Link to={to} className="rounded-tag hover:text-text">
        {parent}
      </Link>
      <ChevronRight size={14} className="shrink-0 text-text-3" aria-hidden />
      <span aria-current="page" className="min-w-0 truncate text-text">
        {children}
      </span>
      {end && <span className="ml-auto flex items-center gap-1">{end}</span>}
    </nav>
  );
}

interface HeadProps {
  title: string;
  badge?: ReactNode;
  /** One or two lines below the title. */
  children?: ReactNode;
  /** Buttons, to the right of the title or, in a narrow pane, below it. */
  actions?: ReactNode;
}

export function PageHead({ title, badge, children, actions }: HeadProps) {
  useTitle(title);
  return (
    <header className="gutter flex flex-wrap items-start justify-between gap-x-6 gap-y-4 pt-6 pb-5 max-rail:pt-5">
      <div className="min-w-0 max-w-[78ch] flex-[1_1_280px]">
        <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
          <h1 className="min-w-0 text-title font-semibold">{title}</h1>
          {badge}
        </div>
        {children && <div className="mt-1 text-text-2">{children}</div>}
      </div>
      {actions && <div className="flex flex-wrap gap-2">{actions}</div>}
    </header>
  );
}

export function Section({
  title,
  end,
  children,
  className,
}: {
  title: string;
  end?: ReactNode;
  children: ReactNode;
  className?: string;
}) {
  return (
    <section className={className}>
      <div className="mb-3 flex min-h-7 flex-wrap items-center justify-between gap-2">
        <h2 className="font-semibold">{title}</h2>
        {end}
      </div>
      {children}
    </section>
  );
}

/** Shows names and values in two columns. */
export function Facts({ children }: { children: ReactNode }) {
  return <dl className="grid grid-cols-[88px_minmax(0,1fr)] items-baseline gap-x-3 gap-y-2.5">{children}</dl>;
}

export function Fact({ name, children, mono }: { name: string; children: ReactNode; mono?: boolean }) {
  return (
    <>
      <dt className="text-text-3">{name}</dt>
      <dd className={classes("min-w-0 numbers", mono && "font-mono text-code")}>{children}</dd>
    </>
  );
}
