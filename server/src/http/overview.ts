import type { Static } from "typebox";
import type { Clock } from "../kernel/clock.ts";
import { LIMITS } from "../kernel/limits.ts";
import type { Sql } from "../store/db.ts";
import { countForOverview } from "../store/overview.ts";
import type { Library } from "../videos/library.ts";
import type { Api } from "./api.ts";
import { Overview } from "./schemas/access.ts";
import { ref } from "./schemas/common.ts";

export interface OverviewParts {
  db: Sql;
  clock: Clock;
  library: Library;
  version: string;
  publicUrl: string;
  retention_days: number;
  uploadMaxBytes: number;
  /** The video tool, as it was found at the start. */
  ffmpeg: { available: boolean; version: string | null; hint: string | null };
}

/** What the dashboard shows on every page: read often, so kept for a moment per space. */
export function overviewRoute(app: Api, parts: OverviewParts): void {
  const kept = new Map<string, { at_ms: number; overview: Promise<Static<typeof Overview>> }>();
  app.get(
    "/v1/overview",
    {
      schema: {
        operationId: "getOverview",
        summary: "Counts of everything, and what the server is",
        tags: ["Dashboard"],
        response: { 200: ref(Overview) },
      },
    },
    ({ who: { space } }) => {
      const now = parts.clock.monotonic();
      const known = kept.get(space);
      if (known && now - known.at_ms < LIMITS.OVERVIEW_CACHED_MS) return known.overview;
      if (kept.size >= LIMITS.OVERVIEWS_CACHED_MAX) kept.clear();
      const overview = read(parts, space);
      kept.set(space, { at_ms: now, overview });
      overview.catch(() => kept.delete(space)); // told to whoever asked; the next one asks anew
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
