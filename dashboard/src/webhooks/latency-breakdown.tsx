import type { Health } from "../api/types.ts";
import { duration } from "../format.ts";

const PHASES = [
  ["dns", "DNS"],
  ["connect", "Connect"],
  ["tls", "TLS"],
  ["first_byte", "First byte"],
  ["total", "Total"],
] as const;
const head = "pb-1.5 text-right text-meta font-normal text-text-3";

export function LatencyBreakdown({ health }: { health: Health }) {
  return (
    <details>
      <summary className="w-fit rounded-tag text-text-2 hover:text-text">Latency by phase</summary>
      <table className="mt-3 w-full max-w-[420px]">
        <thead>
          <tr className="border-b border-line">
            <th className={`${head} text-left!`}>Phase, 24 h</th>
            <th className={head}>Median</th>
            <th className={head}>p95</th>
          </tr>
        </thead>
        <tbody>
          {PHASES.map(([phase, name]) => (
            <tr key={phase} className="border-b border-line last:border-0">
              <td className="py-1.5 text-text-2">{name}</td>
              <td className="text-right text-text-2 numbers">{duration(health.phases[phase].p50)}</td>
              <td className="text-right numbers">{duration(health.phases[phase].p95)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
