import { useMutation, useQueryClient } from "@tanstack/react-query";
import { ApiError, api } from "../api/client.ts";
import type { Delivery } from "../api/types.ts";
import { toast } from "../ui/toast.ts";

/** Requests another attempt for a delivery. The server rejects the request while an attempt is in progress. */
export function useSendAgain() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.post<Delivery>(`/v1/deliveries/${id}/attempts`),
    onSuccess: (_, id) => {
      toast("Sending again");
      return queries.invalidateQueries({ queryKey: ["delivery", "one", id] });
    },
    onError: (error) =>
      toast.error(error instanceof ApiError ? error.problem.detail : "The delivery could not be sent again."),
  });
}
