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
import { judge, type Pasted, sample, type Verdict } from "./signature-check.ts";

const route = getRouteApi("/app/debugger");
const nothing: Pasted = { headers: "", body: "", secret: "", previous: "" };

export function DebuggerPage() {
  const [pasted, setPasted] = useState(nothing);
  const [verdict, setVerdict] = useState<Verdict>();
  const set = (change: Partial<Pasted>) => {
    setPasted((before) => ({ ...before, ...change }));
    setVerdict(undefined);
  };
  useDelivery(set);
  const check = async (event: FormEvent) => {
    event.preventDefault();
    setVerdict(await judge(pasted, nowSeconds()).catch(noCryptography));
  };
  return (
    <>
      <PageHead title="Debugger">
        Paste what your receiver got, and see why it was refused. Everything is computed in this browser; nothing is
        sent.
      </PageHead>
      <form
        onSubmit={(event) => void check(event)}
        className="gutter flex max-w-[calc(640px+64px)] flex-col gap-5 pb-10"
      >
        <TextArea
          label="Headers"
          mono
          rows={4}
          hint="All of them, or Mave-Signature alone."
          placeholder="Mave-Signature: t=1785443715, v1=9756f65086ff343d…"
          value={pasted.headers}
          onChange={({ target }) => set({ headers: target.value })}
        />
        <TextArea
          label="Body"
          mono
          rows={6}
          hint="Exactly as it arrived, before any parser."
          value={pasted.body}
          onChange={({ target }) => set({ body: target.value })}
        />
        <div className="grid gap-4 mid:grid-cols-2">
          <TextField
            label="Secret"
            mono
            autoComplete="off"
            spellCheck={false}
            placeholder="whsec_…"
            value={pasted.secret}
            onChange={({ target }) => set({ secret: target.value })}
          />
          <TextField
            label="Previous secret"
            mono
            autoComplete="off"
            spellCheck={false}
            placeholder="Only during a rotation"
            value={pasted.previous}
            onChange={({ target }) => set({ previous: target.value })}
          />
        </div>
        <div className="flex flex-wrap gap-2">
          <Button type="submit" look="ink" icon={ShieldCheck}>
            Check
          </Button>
          <Button look="quiet" onClick={() => void sample(nowSeconds()).then(set)}>
            Fill in an example
          </Button>
        </div>
        <div role="status">{verdict && <VerdictView verdict={verdict} />}</div>
      </form>
    </>
  );
}

/** A delivery's page leads here with its request filled in; the secret stays to be pasted. */
function useDelivery(set: (change: Partial<Pasted>) => void) {
  const { delivery, attempt } = route.useSearch();
  const { data } = useQuery({
    ...deliveryQuery(delivery ?? ""),
    enabled: delivery !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: once, when the delivery is here
  useEffect(() => {
    const request = (data?.log.find(({ number }) => number === attempt) ?? data?.log.at(-1))?.request;
    if (request === undefined) return;
    const headers = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`);
    set({ headers: headers.join("\n"), body: request.body });
  }, [data?.id]);
}

const noCryptography = (): Verdict => ({
  good: false,
  title: "This browser does not compute signatures here.",
  detail: "Browsers offer cryptography on https and on localhost only. Open the dashboard there.",
  code: undefined,
});

function VerdictView({ verdict: { good, title, detail, code } }: { verdict: Verdict }) {
  const Icon = good ? CircleCheck : CircleX;
  return (
    <div className={classes("flex gap-3 rounded-panel p-4", good ? "bg-ok-tint" : "bg-bad-tint")}>
      <Icon size={16} className={classes("mt-0.5 shrink-0", good ? "text-ok" : "text-bad")} aria-hidden />
      <div className="min-w-0">
        <p className={classes("text-read font-medium", good ? "text-ok" : "text-bad")}>{title}</p>
        <p className="mt-0.5 text-read">{detail}</p>
        {code && <p className="mt-1 font-mono text-code text-text-2">{code}</p>}
      </div>
    </div>
  );
}
