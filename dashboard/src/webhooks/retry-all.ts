import { useMutation, useQueryClient } from "@tanstack/react-query";
import { ApiError, api } from "../api/client.ts";
import type { Retries } from "../api/types.ts";
import { deliveryCount } from "../deliveries/delivery-text.ts";
import { toast } from "../ui/toast.ts";

/** Sends all of a webhook's retries now, ahead of their schedule, and says how many there are. */
export function useRetryAll(webhook: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => api.post<Retries>(`/v1/webhooks/${webhook}/retries`),
    onSuccess: ({ count }) => {
      toast(count === 0 ? "No retries are waiting" : `Retrying ${deliveryCount(count)} now`);
      return Promise.all([
        queries.invalidateQueries({ queryKey: ["webhook"] }),
        queries.invalidateQueries({ queryKey: ["delivery"] }),
      ]);
    },
    onError: (error) =>
      toast.error(error instanceof ApiError ? error.problem.detail : "The retries could not be sent."),
  });
}
