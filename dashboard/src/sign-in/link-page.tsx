import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api } from "../api/client.ts";
import { Skeleton } from "../ui/states.tsx";
import { LinkCommand, SignInLayout } from "./sign-in-layout.tsx";
import { useSignedIn } from "./sign-in-page.tsx";
import { SignUpPage } from "./sign-up-page.tsx";

interface Link {
  object: "link";
  purpose: "owner" | "sign_in" | "invitation";
}

/** Opens a one-time link. The token is in the URL fragment, which browsers never send, so no proxy can log it. */
export function LinkPage() {
  const [token] = useState(() => location.hash.slice(1));
  const opened = useQuery({
    queryKey: ["link", token],
    queryFn: () => api.post<Link>("/v1/session/link", { token }),
    // A link works only once, so the query must never refetch.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    retry: false,
    enabled: token !== "",
  });
  const enter = useSignedIn();
  const signedIn = opened.data?.purpose === "sign_in";
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs once, after the link has been accepted
  useEffect(() => {
    if (signedIn) void enter();
  }, [signedIn]);
  if (token === "" || opened.isError)
    return (
      <InvalidLink
        reason={opened.error?.message ?? "The link has no token. Copy the whole link, including the part after #."}
      />
    );
  if (opened.data === undefined || signedIn)
    return (
      <SignInLayout title="Checking link…">
        <Skeleton className="h-8 w-full" />
      </SignInLayout>
    );
  return <SignUpPage token={token} owner={opened.data.purpose === "owner"} />;
}

function InvalidLink({ reason }: { reason: string }) {
  return (
    <SignInLayout title="Invalid link" description={reason}>
      <a href="/dashboard/" className="font-medium text-accent hover:underline">
        Go to the dashboard
      </a>
      <LinkCommand label="Run this on the server to get a new link:" />
    </SignInLayout>
  );
}
