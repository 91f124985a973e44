import { LIMITS } from "../kernel/limits.ts";
import type { PageQuery } from "../kernel/page.ts";

/** Returns a query's page parameters, with the default limit if the query has none. */
export const paged = ({ limit = LIMITS.LIST_DEFAULT, after, before }: Partial<PageQuery>): PageQuery => ({
  limit,
  after,
  before,
});

/** Returns the response body for a DELETE request. */
export const deleted = ({ id, object }: { id: string; object: string }) => ({ id, object, deleted: true });
