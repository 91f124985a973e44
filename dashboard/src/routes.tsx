/** The pages and their paths. Each page's code is loaded on the first visit to that page. */
import { createRootRoute, createRoute, createRouter, lazyRouteComponent, redirect } from "@tanstack/react-router";
import { ApiError } from "./api/client.ts";
import { queryClient, sessionQuery } from "./api/queries.ts";
import { Layout } from "./shell/layout.tsx";
import { NotFound } from "./shell/not-found.tsx";
import {
  debuggerSearch,
  deliverySearch,
  eventSearch,
  replaySearch,
  videoSearch,
  webhookSearch,
} from "./shell/search-params.ts";
import { ErrorState } from "./ui/states.tsx";

const root = createRootRoute({ notFoundComponent: NotFound });

/** The pages that do not need a session. */
const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search): { next?: string } => (typeof search.next === "string" ? { next: search.next } : {}),
  component: lazyRouteComponent(() => import("./sign-in/sign-in-page.tsx"), "SignInPage"),
});
const link = createRoute({
  getParentRoute: () => root,
  path: "/link",
  component: lazyRouteComponent(() => import("./sign-in/link-page.tsx"), "LinkPage"),
});

/** All other pages need a session. Users without one sign in first, then go on to the page they requested. */
const app = createRoute({
  getParentRoute: () => root,
  id: "app",
  component: Layout,
  beforeLoad: async ({ location }) => {
    try {
      await queryClient.ensureQueryData(sessionQuery);
    } catch (error) {
      if (!(error instanceof ApiError) || error.problem.status !== 401) throw error;
      const next = location.href === "/" ? {} : { next: location.href };
      throw redirect({ to: "/sign-in", search: next });
    }
  },
  errorComponent: ({ error, reset }) => <ErrorState error={error} retry={reset} />,
});

const home = createRoute({
  getParentRoute: () => app,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/videos" });
  },
});
const videos = createRoute({
  getParentRoute: () => app,
  path: "/videos",
  validateSearch: videoSearch,
  component: lazyRouteComponent(() => import("./videos/list-page.tsx"), "VideosPage"),
});
const video = createRoute({
  getParentRoute: () => app,
  path: "/videos/$id",
  component: lazyRouteComponent(() => import("./videos/detail-page.tsx"), "VideoPage"),
});
const webhooks = createRoute({
  getParentRoute: () => app,
  path: "/webhooks",
  validateSearch: webhookSearch,
  component: lazyRouteComponent(() => import("./webhooks/list-page.tsx"), "WebhooksPage"),
});
const newWebhook = createRoute({
  getParentRoute: () => app,
  path: "/webhooks/new",
  component: lazyRouteComponent(() => import("./webhooks/new-page.tsx"), "NewWebhookPage"),
});
const webhook = createRoute({
  getParentRoute: () => app,
  path: "/webhooks/$id",
  validateSearch: deliverySearch,
  component: lazyRouteComponent(() => import("./webhooks/detail-page.tsx"), "WebhookPage"),
});
const editWebhook = createRoute({
  getParentRoute: () => app,
  path: "/webhooks/$id/edit",
  component: lazyRouteComponent(() => import("./webhooks/edit-page.tsx"), "EditWebhookPage"),
});
const deliveries = createRoute({
  getParentRoute: () => app,
  path: "/deliveries",
  validateSearch: deliverySearch,
  component: lazyRouteComponent(() => import("./deliveries/list-page.tsx"), "DeliveriesPage"),
});
const delivery = createRoute({
  getParentRoute: () => app,
  path: "/deliveries/$id",
  validateSearch: (search): { attempt?: number } => {
    const attempt = Number(search.attempt);
    return Number.isInteger(attempt) && attempt > 0 ? { attempt } : {};
  },
  component: lazyRouteComponent(() => import("./deliveries/detail-page.tsx"), "DeliveryPage"),
});
const events = createRoute({
  getParentRoute: () => app,
  path: "/events",
  validateSearch: eventSearch,
  component: lazyRouteComponent(() => import("./events/list-page.tsx"), "EventsPage"),
});
const event = createRoute({
  getParentRoute: () => app,
  path: "/events/$id",
  component: lazyRouteComponent(() => import("./events/detail-page.tsx"), "EventPage"),
});
const replays = createRoute({
  getParentRoute: () => app,
  path: "/replays",
  component: lazyRouteComponent(() => import("./replays/list-page.tsx"), "ReplaysPage"),
});
const newReplay = createRoute({
  getParentRoute: () => app,
  path: "/replays/new",
  validateSearch: replaySearch,
  component: lazyRouteComponent(() => import("./replays/new-page.tsx"), "NewReplayPage"),
});
const replay = createRoute({
  getParentRoute: () => app,
  path: "/replays/$id",
  component: lazyRouteComponent(() => import("./replays/detail-page.tsx"), "ReplayPage"),
});
const apiKeys = createRoute({
  getParentRoute: () => app,
  path: "/api-keys",
  component: lazyRouteComponent(() => import("./account/api-keys-page.tsx"), "ApiKeysPage"),
});
const members = createRoute({
  getParentRoute: () => app,
  path: "/members",
  component: lazyRouteComponent(() => import("./account/members-page.tsx"), "MembersPage"),
});
const debug = createRoute({
  getParentRoute: () => app,
  path: "/debugger",
  validateSearch: debuggerSearch,
  component: lazyRouteComponent(() => import("./debugger/debugger-page.tsx"), "DebuggerPage"),
});
const auditLog = createRoute({
  getParentRoute: () => app,
  path: "/audit-log",
  component: lazyRouteComponent(() => import("./account/audit-log-page.tsx"), "AuditLogPage"),
});
const settings = createRoute({
  getParentRoute: () => app,
  path: "/settings",
  component: lazyRouteComponent(() => import("./account/settings-page.tsx"), "SettingsPage"),
});

const pages = [
  home,
  videos,
  video,
  webhooks,
  newWebhook,
  webhook,
  editWebhook,
  deliveries,
  delivery,
  events,
  event,
  replays,
  newReplay,
  replay,
  apiKeys,
  members,
  debug,
  auditLog,
  settings,
];

export const router = createRouter({
  routeTree: root.addChildren([signIn, link, app.addChildren(pages)]),
  basepath: "/dashboard",
  defaultPreload: "intent",
  // Gives each page time to show its own skeleton.
  defaultPendingMs: 1_000,
  defaultErrorComponent: ({ error, reset }) => <ErrorState error={error} retry={reset} />,
  defaultNotFoundComponent: NotFound,
});

declare module "@tanstack/react-router" {
  interface Register {
    router: typeof router;
  }
}
