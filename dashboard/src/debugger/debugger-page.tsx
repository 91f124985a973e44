import { useQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { CircleCheck, CircleX, ShieldCheck } from "lucide-react";
import { type FormEvent, useEffect, useState } from "react";
import { deliveryQuery } from "../api/queries.ts";
import { nowSeconds } from "../clock.ts";
import { Button } from "../ui/button.tsx";
import { classes } from "../ui/classes.ts";
import { TextArea, TextField } from "../ui/field.tsx";
import { PageHead } from "../ui/page.tsx";
import { checkSignature, exampleRequest, type PastedRequest, type SignatureCheck } from "./signature-check.ts";

const route = getRouteApi("/app/debugger");
const EMPTY: PastedRequest = { headers: "", body: "", secret: "", previous: "" };

export function DebuggerPage() {
  const [request, setRequest] = useState(EMPTY);
  const [check, setCheck] = useState<SignatureCheck>();
  const set = (change: Partial<PastedRequest>) => {
    setRequest((before) => ({ ...before, ...change }));
    setCheck(undefined);
  };
  useDelivery(set);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setCheck(await checkSignature(request, nowSeconds()).catch(noCryptography));
  };
  return (
    <>
      <PageHead title="Debugger">
        Paste a request to see why its signature was rejected. The check runs in your browser; nothing is sent to the
        server.
      </PageHead>
      <form
        onSubmit={(event) => void submit(event)}
        className="gutter flex max-w-[calc(640px+64px)] flex-col gap-5 pb-10"
      >
        <TextArea
          label="Headers"
          mono
          rows={4}
          hint="All headers, or just the Mave-Signature value."
          placeholder="Mave-Signature: t=1785443715, v1=9756f65086ff343d…"
          value={request.headers}
          onChange={({ target }) => set({ headers: target.value })}
        />
        <TextArea
          label="Body"
          mono
          rows={6}
          hint="The raw body, before any parsing."
          value={request.body}
          onChange={({ target }) => set({ body: target.value })}
        />
        <div className="grid gap-4 mid:grid-cols-2">
          <TextField
            label="Secret"
            mono
            autoComplete="off"
            spellCheck={false}
            placeholder="whsec_…"
            value={request.secret}
            onChange={({ target }) => set({ secret: target.value })}
          />
          <TextField
            label="Previous secret"
            mono
            autoComplete="off"
            spellCheck={false}
            placeholder="Needed only during a rotation"
            value={request.previous}
            onChange={({ target }) => set({ previous: target.value })}
          />
        </div>
        <div className="flex flex-wrap gap-2">
          <Button type="submit" look="ink" icon={ShieldCheck}>
            Check signature
          </Button>
          <Button look="quiet" onClick={() => void exampleRequest(nowSeconds()).then(set)}>
            Use an example
          </Button>
        </div>
        <div role="status">{check && <Result check={check} />}</div>
      </form>
    </>
  );
}

/** Prefills the form with the request from the delivery in the URL. The user still has to paste the secret. */
function useDelivery(set: (change: Partial<PastedRequest>) => void) {
  const { delivery, attempt } = route.useSearch();
  const { data } = useQuery({
    ...deliveryQuery(delivery ?? ""),
    enabled: delivery !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs only once, after the delivery has loaded
  useEffect(() => {
    const request = (data?.log.find(({ number }) => number === attempt) ?? data?.log.at(-1))?.request;
    if (request === undefined) return;
    const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`);
    set({ headers: headers.join("\n"), body: request.body });
  }, [data?.id]);
}

const noCryptography = (): SignatureCheck => ({
  valid: false,
  title: "This page cannot compute signatures",
  detail: "Browsers restrict cryptography to HTTPS and localhost. Open the dashboard over HTTPS or on localhost.",
  code: undefined,
});

function Result({ check: { valid, title, detail, code } }: { check: SignatureCheck }) {
  const Icon = valid ? CircleCheck : CircleX;
  return (
    <div className={classes("flex gap-3 rounded-panel p-4", valid ? "bg-ok-tint" : "bg-bad-tint")}>
      <Icon size={16} className={classes("mt-0.5 shrink-0", valid ? "text-ok" : "text-bad")} aria-hidden />
      <div className="min-w-0">
        <p className={classes("text-read font-medium", valid ? "text-ok" : "text-bad")}>{title}</p>
        <p className="mt-0.5 text-read">{detail}</p>
        {code && <p className="mt-1 font-mono text-code text-text-2">{code}</p>}
      </div>
    </div>
  );
}
