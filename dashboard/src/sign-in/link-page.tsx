import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api } from "../api/client.ts";
import { Skeleton } from "../ui/states.tsx";
import { Entrance, LockedOut } from "./sign-in-layout.tsx";
import { useEntering } from "./sign-in-page.tsx";
import { NewPerson } from "./sign-up-page.tsx";

interface Link {
  object: "link";
  purpose: "owner" | "sign_in" | "invitation";
}

/** A one-time link. Its token stands behind the #, so no server or proxy on the way has seen it. */
export function LinkPage() {
  const [token] = useState(() => location.hash.slice(1));
  const opened = useQuery({
    queryKey: ["link", token],
    queryFn: () => api.post<Link>("/v1/session/link", { token }),
    // Opening uses it up: once, whatever the page does meanwhile.
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: Number.POSITIVE_INFINITY,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
    retry: false,
    enabled: token !== "",
  });
  const enter = useEntering();
  const signedIn = opened.data?.purpose === "sign_in";
  // biome-ignore lint/correctness/useExhaustiveDependencies: entering is done once, when the link has been taken
  useEffect(() => {
    if (signedIn) void enter();
  }, [signedIn]);
  if (token === "" || opened.isError)
    return <Unusable sentence={opened.error?.message ?? "This address has no token behind its #."} />;
  if (opened.data === undefined || signedIn)
    return (
      <Entrance title="One moment" sentence="The link is being checked.">
        <Skeleton className="h-8 w-full" />
      </Entrance>
    );
  return <NewPerson token={token} owner={opened.data.purpose === "owner"} />;
}

function Unusable({ sentence }: { sentence: string }) {
  return (
    <Entrance title="This link does not work" sentence={sentence}>
      <a href="/dashboard/" className="font-medium text-accent hover:underline">
        Go to the dashboard
      </a>
      <LockedOut words="On the server, this prints a new one:" />
    </Entrance>
  );
}
