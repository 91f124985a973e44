import { queryOptions } from "@tanstack/react-query";
import { api } from "../api/client.ts";
import type { ApiKey, List, Member } from "../api/types.ts";

export const apiKeysQuery = queryOptions({
  queryKey: ["api-key", "list"],
  queryFn: ({ signal }) => api.get<List<ApiKey>>("/v1/api-keys", { limit: 100 }, signal),
});

export const membersQuery = queryOptions({
  queryKey: ["member", "list"],
  queryFn: ({ signal }) => api.get<List<Member>>("/v1/members", {}, signal),
});

/** Masks an API key as `mave_••••••••3kQ9`. Its last characters are enough to tell keys apart. */
export const maskedKey = (hint: string): string => `mave_••••••••${hint}`;
