import type { Health } from "../api/types.ts";
import { number, took } from "../format.ts";
import { Section } from "../ui/page.tsx";
import { shortWord } from "../words/answers.ts";

const PHASES = [
  ["dns", "DNS"],
  ["connect", "Connect"],
  ["tls", "TLS"],
  ["first_byte", "First byte"],
  ["total", "Total"],
] as const;
const head = "pb-1.5 text-right text-meta font-normal text-text-3";

/** Where the time goes by phase, and what the failures of the day were. */
export function Breakdown({ health }: { health: Health }) {
  return (
    <details>
      <summary className="w-fit rounded-tag text-text-2 hover:text-text">By phase and by error</summary>
      <div className="mt-4 grid gap-x-8 gap-y-6 mid:grid-cols-2">
        <Section title="Where the time goes, 24 h">
          <table className="w-full">
            <thead>
              <tr className="border-b border-line">
                <th className={`${head} text-left!`}>Phase</th>
                <th className={head}>p50</th>
                <th className={head}>p95</th>
              </tr>
            </thead>
            <tbody>
              {PHASES.map(([phase, word]) => (
                <tr key={phase} className="border-b border-line last:border-0">
                  <td className="py-1.5 text-text-2">{word}</td>
                  <td className="text-right text-text-2 numbers">{took(health.phases[phase].p50)}</td>
                  <td className="text-right numbers">{took(health.phases[phase].p95)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </Section>
        <Section title="What failed, 24 h">
          {health.errors.length === 0 ? (
            <p className="text-text-2">{health.succeeded === 0 ? "No attempts yet." : "Nothing."}</p>
          ) : (
            <dl>
              {health.errors.map(({ word, count }) => (
                <div key={word} className="flex justify-between gap-3 border-b border-line py-1.5 last:border-0">
                  <dt className="min-w-0 truncate">{shortWord(word)}</dt>
                  <dd className="text-text-2 numbers">{number(count)}</dd>
                </div>
              ))}
            </dl>
          )}
        </Section>
      </div>
    </details>
  );
}
