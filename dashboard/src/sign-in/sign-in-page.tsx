import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRouter, useSearch } from "@tanstack/react-router";
import type { FormEvent } from "react";
import { ApiError, api } from "../api/client.ts";
import { sessionQuery } from "../api/queries.ts";
import type { Session } from "../api/types.ts";
import { Button } from "../ui/button.tsx";
import { TextField } from "../ui/field.tsx";
import { ErrorLine } from "../ui/states.tsx";
import { Entrance, LockedOut } from "./sign-in-layout.tsx";

export function SignInPage() {
  const enter = useEntering();
  const signIn = useMutation({
    mutationFn: (form: Record<string, unknown>) => api.post<Session>("/v1/session", form),
    onSuccess: enter,
  });
  const submit = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    signIn.mutate(Object.fromEntries(new FormData(event.currentTarget)));
  };
  const wrong = signIn.error instanceof ApiError && signIn.error.problem.status === 401;
  return (
    <Entrance title="Sign in" sentence="to this server's videos and webhooks.">
      <form onSubmit={submit} className="flex flex-col gap-4">
        <TextField label="Email" name="email" type="email" autoComplete="username" required autoFocus />
        <TextField label="Password" name="password" type="password" autoComplete="current-password" required />
        {wrong ? (
          <p role="alert" className="font-medium text-bad">
            Email or password is wrong.
          </p>
        ) : (
          <ErrorLine error={signIn.error} />
        )}
        <Button type="submit" look="ink" busy={signIn.isPending}>
          Sign in
        </Button>
      </form>
      <LockedOut words="Locked out, or new here? On the server, this prints a link that lets you in:" />
    </Entrance>
  );
}

/** Takes the new session in and goes where the person wanted to go. */
export function useEntering(): (session?: Session) => Promise<void> {
  const queries = useQueryClient();
  const router = useRouter();
  const { next } = useSearch({ strict: false }) as { next?: string };
  return async (session) => {
    // What another person saw must not linger; the link in use stays, or it would be opened twice.
    queries.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== "link" });
    if (session) queries.setQueryData(sessionQuery.queryKey, session);
    await router.invalidate();
    // Only a path of this dashboard: an address from outside must not lead elsewhere after signing in.
    const path = next?.startsWith("/") && !next.startsWith("//") ? next : "/videos";
    router.history.replace(path.startsWith("/dashboard") ? path : `/dashboard${path}`);
  };
}
