/** Which errors a webhook's attempts met, and in which hours of the day. Pure. */
import type { Health } from "../api/types.ts";
import { shortWord } from "../deliveries/attempt-text.ts";
import { moment, number, plural } from "../format.ts";

const HOUR = 3_600;

export interface Failure {
  word: string;
  text: string;
  count: number;
  /** How often in each hour, oldest first. */
  hours: number[];
  /** "10:00–14:00", or "since 10:00" where it goes on. */
  when: string;
}

/** Each error of the day, the most frequent first. */
export function failuresOf({ errors, hours }: Pick<Health, "errors" | "hours">): Failure[] {
  return errors.map(({ word, count }) => {
    const counts = hours.map((hour) => hour.errors.find((error) => error.word === word)?.count ?? 0);
    return { word, text: shortWord(word), count, hours: counts, when: whenOf(counts, hours) };
  });
}

function whenOf(counts: number[], hours: { hour: number }[]): string {
  const [first, last] = [counts.findIndex((count) => count > 0), counts.findLastIndex((count) => count > 0)];
  if (first === -1) return "";
  if (last === counts.length - 1) return `since ${timeOf(hours[first]!.hour)}`;
  return `${timeOf(hours[first]!.hour)}–${timeOf(hours[last]!.hour + HOUR)}`;
}

const timeOf = (unix: number): string => moment(unix, unix);

/** So many have a colour of their own; what is rarer is drawn as one. */
export const LAYERS_MAX = 4;
export const layerOf = (place: number): number => Math.min(place, LAYERS_MAX);

/** The layers of a stacked chart from the foot up, each with its upper edge in every hour. */
export function stack(failures: Failure[]): number[][] {
  const layers = failures.slice(0, LAYERS_MAX + 1);
  return layers.map((_, layer) => {
    const below = failures.filter((_, place) => layerOf(place) <= layer);
    return (failures[0]?.hours ?? []).map((_, hour) => below.reduce((sum, { hours }) => sum + hours[hour]!, 0));
  });
}

/** The chart in a sentence: "31 failed attempts in 24 hours. 503 Service Unavailable: 24, 10:00–14:00. …" */
export function failureWords(failures: Failure[]): string {
  const all = failures.reduce((sum, { count }) => sum + count, 0);
  const each = failures.map(({ text, count, when }) => `${text}: ${number(count)}, ${when}.`);
  return [`${plural(all, "failed attempt")} in 24 hours.`, ...each].join(" ");
}
