/** The errors from a webhook's attempts in the last 24 hours, and when they occurred. */
import type { Health } from "../api/types.ts";
import { shortError } from "../deliveries/delivery-text.ts";
import { moment, number, plural } from "../format.ts";

const HOUR = 3_600;

export interface Failure {
  word: string;
  text: string;
  count: number;
  /** The count for each hour, oldest first. */
  hours: number[];
  /** When the error occurred: "10:00–14:00", or "since 10:00" if the current hour is included. */
  when: string;
}

/** Returns the failures in the same order as the API, which is most frequent first. */
export function failuresOf({ errors, hours }: Pick<Health, "errors" | "hours">): Failure[] {
  return errors.map(({ word, count }) => {
    const counts = hours.map((hour) => hour.errors.find((error) => error.word === word)?.count ?? 0);
    return { word, text: shortError(word), count, hours: counts, when: whenOf(counts, hours) };
  });
}

function whenOf(counts: number[], hours: { hour: number }[]): string {
  const [first, last] = [counts.findIndex((count) => count > 0), counts.findLastIndex((count) => count > 0)];
  if (first === -1) return "";
  if (last === counts.length - 1) return `since ${timeOf(hours[first]!.hour)}`;
  return `${timeOf(hours[first]!.hour)}–${timeOf(hours[last]!.hour + HOUR)}`;
}

const timeOf = (unix: number): string => moment(unix, unix);

/** The maximum number of errors with a layer of their own. All less frequent errors share one layer. */
export const LAYERS_MAX = 4;
export const layerOf = (place: number): number => Math.min(place, LAYERS_MAX);

/** Returns the layers of a stacked chart, from the bottom up. Each layer is a list of its upper edges, one per hour. */
export function stack(failures: Failure[]): number[][] {
  const layers = failures.slice(0, LAYERS_MAX + 1);
  return layers.map((_, layer) => {
    const below = failures.filter((_, place) => layerOf(place) <= layer);
    return (failures[0]?.hours ?? []).map((_, hour) => below.reduce((sum, { hours }) => sum + hours[hour]!, 0));
  });
}

/** Describes the failures: "31 failed attempts in 24 hours. 503 Service Unavailable: 24, 10:00–14:00. …" */
export function describeFailures(failures: Failure[]): string {
  const all = failures.reduce((sum, { count }) => sum + count, 0);
  const each = failures.map(({ text, count, when }) => `${text}: ${number(count)}, ${when}.`);
  return [`${plural(all, "failed attempt")} in 24 hours.`, ...each].join(" ");
}
