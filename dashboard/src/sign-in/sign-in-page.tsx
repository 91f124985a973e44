import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter, useSearch } from "@tanstack/react-router";
import type { FormEvent } from "react";
import { ApiError, api } from "../api/client.ts";
import { sessionQuery } from "../api/queries.ts";
import type { Session } from "../api/types.ts";
import { Button } from "../ui/button.tsx";
import { TextField } from "../ui/field.tsx";
import { ErrorLine } from "../ui/states.tsx";
import { LinkCommand, SignInLayout } from "./sign-in-layout.tsx";

export function SignInPage() {
  const enter = useSignedIn();
  const signIn = useMutation({
    mutationFn: (form: Record<string, unknown>) => api.post<Session>("/v1/session", form),
    onSuccess: enter,
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    signIn.mutate(Object.fromEntries(new FormData(event.currentTarget)));
  };
  const isRejected = signIn.error instanceof ApiError && signIn.error.problem.status === 401;
  return (
    <SignInLayout title="Sign in to Mave">
      <form onSubmit={submit} className="flex flex-col gap-4">
        <TextField label="Email" name="email" type="email" autoComplete="username" required autoFocus />
        <TextField label="Password" name="password" type="password" autoComplete="current-password" required />
        {isRejected ? (
          <p role="alert" className="font-medium text-bad">
            Incorrect email or password.
          </p>
        ) : (
          <ErrorLine error={signIn.error} />
        )}
        <Button type="submit" look="ink" busy={signIn.isPending}>
          Sign in
        </Button>
      </form>
      <LinkCommand label="Can't sign in? Run this on the server to get a sign-in link:" />
    </SignInLayout>
  );
}

/** Returns a function that stores the new session and opens the page that the user requested before signing in. */
export function useSignedIn(): (session?: Session) => Promise<void> {
  const queries = useQueryClient();
  const router = useRouter();
  const { next } = useSearch({ strict: false }) as { next?: string };
  return async (session) => {
    // Drop the previous user's data, but keep the link query, because a refetch would use the link a second time.
    queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== "link" });
    if (session) queries.setQueryData(sessionQuery.queryKey, session);
    await router.invalidate();
    // Accept only paths within this dashboard, so that a crafted link cannot redirect to another site.
    const path = next?.startsWith("/") && !next.startsWith("//") ? next : "/videos";
    router.history.replace(path.startsWith("/dashboard") ? path : `/dashboard${path}`);
  };
}
