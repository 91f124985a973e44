import type { Static } from "typebox";
import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Sql } from "../store/db.ts";
import { countForOverview } from "../store/overview.ts";
import type { Library } from "../videos/library.ts";
import type { Api } from "./api.ts";
import { ref } from "./schemas/common.ts";
import { Overview } from "./schemas/space.ts";

export interface OverviewParts {
  db: Sql;
  clock: Clock;
  library: Library;
  version: string;
  publicUrl: string;
  retention_days: number;
  uploadMaxBytes: number;
  /** The ffmpeg found at startup, if any. */
  ffmpeg: { available: boolean; version: string | null; hint: string | null };
}

/** Every dashboard page polls this route, so its response is cached per space. */
export function overviewRoute(app: Api, parts: OverviewParts): void {
  const cache = new Map<string, { at_ms: number; overview: Promise<Static<typeof Overview>> }>();
  app.get(
    "/v1/overview",
    {
      schema: {
        operationId: "getOverview",
        summary: "Get counts and server information",
        tags: ["Dashboard"],
        response: { 200: ref(Overview) },
      },
    },
    ({ who: { space } }) => {
      const now = parts.clock.monotonic();
      const cached = cache.get(space);
      if (cached && now - cached.at_ms < LIMITS.OVERVIEW_CACHED_MS) return cached.overview;
      if (cache.size >= LIMITS.OVERVIEWS_CACHED_MAX) cache.clear();
      const overview = read(parts, space);
      cache.set(space, { at_ms: now, overview });
      overview.catch(() => cache.delete(space)); // the next request tries again
      return overview;
    },
  );
}

async function read(parts: OverviewParts, space: string): Promise<Static<typeof Overview>> {
  const [counts, videos] = await Promise.all([countForOverview(parts.db, space), parts.library.totals(space)]);
  return {
    object: "overview",
    version: parts.version,
    public_url: parts.publicUrl,
    webhooks: { total: counts.webhooks, failing: counts.failing, disabled: counts.disabled },
    deliveries: { pending: counts.pending, per_second: counts.per_minute / 60 },
    videos: { total: videos.total, bytes: videos.bytes, ...videos.by_status },
    ffmpeg: parts.ffmpeg,
    limits: { retention_days: parts.retention_days, upload_bytes: parts.uploadMaxBytes },
  };
}
