import { LIMITS } from "../kernel/limits.ts";
import type { PageQuery } from "../kernel/page.ts";

/** A list's place, with the default where the caller gives none. */
export const paged = ({ limit = LIMITS.LIST_DEFAULT, after, before }: Partial<PageQuery>): PageQuery => ({
  limit,
  after,
  before,
});

/** The response to a DELETE. */
export const deleted = ({ id, object }: { id: string; object: string }) => ({ id, object, deleted: true });
