import type { TSchema } from "typebox";
import { Deleted, Problem } from "./common.ts";
import * as deliveries from "./deliveries.ts";
import * as events from "./events.ts";
import * as access from "./space.ts";
import * as videos from "./videos.ts";
import * as webhooks from "./webhooks.ts";

type Named = TSchema & { readonly $id: string };

const isNamed = (value: unknown): value is Named => typeof value === "object" && value !== null && "$id" in value;

/** All named schemas. Together, they form the OpenAPI document's components. */
export const NAMED: readonly Named[] = [
  ...(Object.values({ Deleted, Problem }) as unknown[]),
  ...(Object.values({ ...videos, ...webhooks, ...events, ...deliveries, ...access }) as unknown[]),
].filter(isNamed);
