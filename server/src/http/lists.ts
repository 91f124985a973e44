import { LIMITS } from "../kernel/limits.ts";
import type { PageQuery } from "../kernel/page.ts";

/** The page parameters of a query, with the default limit. */
export const paged = ({ limit = LIMITS.LIST_DEFAULT, after, before }: Partial<PageQuery>): PageQuery => ({
  limit,
  after,
  before,
});

/** The response to a DELETE request. */
export const deleted = ({ id, object }: { id: string; object: string }) => ({ id, object, deleted: true });
