/** The layout of every signed-in page: navigation, the main pane, uploads, the command palette, and toasts. */
import { useQueryClient } from "@tanstack/react-query";
import { Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { startChanges } from "../live/changes.ts";
import { startRefreshing } from "../live/refresh.ts";
import { firstIdle, LazyPalette, LazyToasts, loadWithRetry } from "../ui/lazy-loading.tsx";
import { BottomBar } from "./bottom-bar.tsx";
import { mainItems } from "./nav-items.ts";
import { moveRow, type Shortcuts, useShortcuts } from "./shortcuts.ts";
import { Sidebar } from "./sidebar.tsx";

/** Uploads continue when the user changes pages, so their panel belongs to the layout. */
const UploadPanel = lazy(async () => {
  await firstIdle;
  return { default: (await loadWithRetry(() => import("../uploads/upload-panel.tsx"))).UploadPanel };
});

const ShortcutsHelp = lazy(async () => ({ default: (await import("./shortcuts-help.tsx")).ShortcutsHelp }));

export function Layout() {
  // Undefined until the palette is first opened, so that its code loads only then.
  const [palette, setPalette] = useState<boolean>();
  const [help, setHelp] = useState<boolean>();
  useLiveData();
  useShortcuts({
    ...useNavigationKeys(),
    "mod+k": () => setPalette(true),
    "?": () => setHelp(true),
    j: () => moveRow(1),
    k: () => moveRow(-1),
    "/": focusSearch(() => setPalette(true)),
  });
  return (
    <div className="flex h-full flex-col rail:flex-row">
      <a
        href="#main"
        className="sr-only z-50 rounded-control bg-ink px-3 py-2 text-on-ink focus:not-sr-only focus:absolute focus:top-2 focus:left-2"
      >
        Skip to content
      </a>
      <Sidebar onSearch={() => setPalette(true)} onKeys={() => setHelp(true)} />
      <MainPane />
      <BottomBar onSearch={() => setPalette(true)} />
      <Suspense>
        <UploadPanel />
      </Suspense>
      {palette !== undefined && (
        <Suspense>
          <LazyPalette open={palette} onClose={() => setPalette(false)} />
        </Suspense>
      )}
      {help !== undefined && (
        <Suspense>
          <ShortcutsHelp open={help} onClose={() => setHelp(false)} />
        </Suspense>
      )}
      <Suspense>
        <LazyToasts />
      </Suspense>
    </div>
  );
}

/** The scrolling pane. Each new page starts scrolled to the top, with focus on the pane. */
function MainPane() {
  const pane = useRef<HTMLElement>(null);
  const path = useRouterState({ select: (state) => state.location.pathname });
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when the path changes
  useEffect(() => {
    pane.current?.scrollTo(0, 0);
    // The focused element was removed with the previous page. Without this line, Tab would start at the sidebar.
    if (document.activeElement === document.body) pane.current?.focus({ preventScroll: true });
  }, [path]);
  return (
    <main
      id="main"
      ref={pane}
      tabIndex={-1}
      className="pane min-h-0 min-w-0 flex-1 overflow-x-hidden overflow-y-auto bg-surface outline-none rail:my-2 rail:mr-2 rail:rounded-panel rail:shadow-[0_0_0_1px_var(--line)]"
    >
      <Outlet />
    </main>
  );
}

function useLiveData() {
  const queries = useQueryClient();
  useEffect(() => {
    const stops = [startRefreshing(queries), startChanges()];
    return () => {
      for (const stop of stops) stop();
    };
  }, [queries]);
}

function useNavigationKeys(): Shortcuts {
  const navigate = useNavigate();
  const pages = mainItems.map(({ key, to }) => [`g ${key}`, () => void navigate({ to })] as const);
  return {
    ...Object.fromEntries(pages),
    "c w": () => void navigate({ to: "/webhooks/new" }),
    "c v": () => void navigate({ to: "/videos", search: { upload: true } }),
  };
}

/** Handles "/": focuses the page's search field, or opens the palette if the page has none. */
const focusSearch = (openPalette: () => void) => () => {
  const search = document.querySelector<HTMLInputElement>("main input[type=search]");
  if (search === null) openPalette();
  else search.focus();
};
