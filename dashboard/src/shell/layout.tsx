/** The frame around every signed-in page: sidebar, rail or bottom bar; the main pane; toasts; palette; keys. */
import { useQueryClient } from "@tanstack/react-query";
import { Outlet, useNavigate, useRouterState } from "@tanstack/react-router";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { startChanges } from "../live/changes.ts";
import { startRefreshing } from "../live/refresh.ts";
import { fetched, LazyToasts, standingStill } from "../ui/lazily.tsx";
import { BottomBar } from "./bottom-bar.tsx";
import { type Keys, moveRow, useKeys } from "./keys.ts";
import { main } from "./nav-items.ts";
import { Palette } from "./palette.tsx";
import { PaneContext, usePaneWidth } from "./pane.ts";
import { Sidebar } from "./sidebar.tsx";

/** Uploads go on while pages change, so their panel belongs to the frame. */
const UploadPanel = lazy(async () => {
  await standingStill;
  return { default: (await fetched(() => import("../uploads/upload-panel.tsx"))).UploadPanel };
});

const KeysHelp = lazy(async () => ({ default: (await import("./shortcuts-help.tsx")).KeysHelp }));

export function Frame() {
  const [palette, setPalette] = useState(false);
  // undefined: never opened, so its code has not been fetched.
  const [help, setHelp] = useState<boolean>();
  useLiveData();
  useKeys({
    ...useGoing(),
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
        Skip to the page
      </a>
      <Sidebar onSearch={() => setPalette(true)} onKeys={() => setHelp(true)} />
      <MainPane />
      <BottomBar onSearch={() => setPalette(true)} />
      <Suspense>
        <UploadPanel />
      </Suspense>
      <Palette open={palette} onClose={() => setPalette(false)} />
      {help !== undefined && (
        <Suspense>
          <KeysHelp open={help} onClose={() => setHelp(false)} />
        </Suspense>
      )}
      <Suspense>
        <LazyToasts />
      </Suspense>
    </div>
  );
}

/** The pane scrolls by itself; a new page begins at its top, with the focus on the pane. */
function MainPane() {
  const pane = useRef<HTMLElement>(null);
  const width = usePaneWidth(pane);
  const path = useRouterState({ select: (state) => state.location.pathname });
  // biome-ignore lint/correctness/useExhaustiveDependencies: the path is what changes
  useEffect(() => {
    pane.current?.scrollTo(0, 0);
    // What had the focus went with the page before: the keyboard goes on from the pane, not from the sidebar.
    if (document.activeElement === document.body) pane.current?.focus({ preventScroll: true });
  }, [path]);
  return (
    <main
      id="main"
      ref={pane}
      tabIndex={-1}
      className="pane min-h-0 min-w-0 flex-1 overflow-x-hidden overflow-y-auto bg-surface outline-none rail:my-2 rail:mr-2 rail:rounded-panel rail:shadow-[0_0_0_1px_var(--line)]"
    >
      <PaneContext value={width}>
        <Outlet />
      </PaneContext>
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

function useGoing(): Keys {
  const navigate = useNavigate();
  const going = main.map(({ key, to }) => [`g ${key}`, () => void navigate({ to })] as const);
  return {
    ...Object.fromEntries(going),
    "c w": () => void navigate({ to: "/webhooks/new" }),
    "c v": () => void navigate({ to: "/videos", search: { upload: true } }),
  };
}

/** "/" goes to the page's own search, or to the palette where it has none. */
const focusSearch = (otherwise: () => void) => () => {
  const search = document.querySelector<HTMLInputElement>("main input[type=search]");
  if (search === null) otherwise();
  else search.focus();
};
