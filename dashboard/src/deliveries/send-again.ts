import { useMutation, useQueryClient } from "@tanstack/react-query";
import { ApiError, api } from "../api/client.ts";
import type { Delivery } from "../api/types.ts";
import { toast } from "../ui/toast.ts";

/** Asks for one more attempt of a delivery. Many clicks make one attempt: the server refuses the others with its reason. */
export function useSendAgain() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => api.post<Delivery>(`/v1/deliveries/${id}/attempts`),
    onSuccess: (_, id) => {
      toast("One more attempt is on its way.");
      return queries.invalidateQueries({ queryKey: ["delivery", "one", id] });
    },
    onError: (error) =>
      toast.error(error instanceof ApiError ? error.problem.detail : "The attempt could not be asked for."),
  });
}
