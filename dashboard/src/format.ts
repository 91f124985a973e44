/** Formats numbers and times. A no-break space keeps each number with its unit. */

const NB = "\u00a0";
const MINUTE = 60;
const HOUR = 3_600;
const DAY = 86_400;

// Use 24-hour times so that operators can compare them with log timestamps.
const timeOfDay = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" });
const timeWithSeconds = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
const monthAndDay = new Intl.DateTimeFormat("en-US", { day: "numeric", month: "short" });
const fullDate = new Intl.DateTimeFormat("en-US", { day: "numeric", month: "short", year: "numeric" });
const weekday = new Intl.DateTimeFormat("en-US", { weekday: "short" });
const grouped = new Intl.NumberFormat("en-US");

const date = (unix: number) => new Date(unix * 1_000);
const sameDay = (a: number, b: number) => date(a).toDateString() === date(b).toDateString();

export const number = (value: number): string => grouped.format(value);
export const plural = (count: number, one: string, many = `${one}s`): string =>
  `${number(count)}${NB}${count === 1 ? one : many}`;

/** Formats a time: "14:03" if it is today, "Nov 22, 14:03" if it is this year, or else "Nov 22, 2025, 14:03". */
export function moment(unix: number, now: number): string {
  const time = timeOfDay.format(date(unix));
  if (sameDay(unix, now)) return time;
  const day = date(unix).getFullYear() === date(now).getFullYear() ? monthAndDay : fullDate;
  return `${day.format(date(unix))}, ${time}`;
}

export const clockTime = (unix: number): string => timeWithSeconds.format(date(unix));
export const day = (unix: number): string => fullDate.format(date(unix)).replaceAll(" ", NB);

/** Formats a time as "Mon, Nov 23, 2026, 14:03:08.412". */
export function exact(unixMs: number): string {
  const at = new Date(unixMs);
  const ms = String(at.getMilliseconds()).padStart(3, "0");
  return `${weekday.format(at)}, ${fullDate.format(at)}, ${timeWithSeconds.format(at)}.${ms}`;
}

/** Formats a time to the second, in local time and UTC, for the tooltip of a relative time. */
export function localAndUtc(unix: number): string {
  const utc = date(unix).toISOString().replace("T", " ").replace(".000Z", " UTC");
  return `${fullDate.format(date(unix))}, ${clockTime(unix)} local, ${utc}`;
}

/** Formats a relative time: now · 12 s ago · 6 min ago · 3 h ago · yesterday, 17:40 · Nov 22, 18:03 */
export function ago(unix: number, now: number): string {
  const age = now - unix;
  if (age < 2) return "now";
  if (age < MINUTE) return `${age}${NB}s ago`;
  if (age < HOUR) return `${Math.floor(age / MINUTE)}${NB}min ago`;
  if (age < 6 * HOUR || sameDay(unix, now)) return `${Math.floor(age / HOUR)}${NB}h ago`;
  if (sameDay(unix, now - DAY)) return `yesterday, ${timeOfDay.format(date(unix))}`;
  return moment(unix, now).replaceAll(" ", NB).replace(`,${NB}`, ", ");
}

/** Formats a time span in its two largest units: 40 s · 4 min · 3 h 39 min · 4 days 2 h. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < MINUTE) return `${whole}${NB}s`;
  if (whole < HOUR) return `${Math.floor(whole / MINUTE)}${NB}min`;
  if (whole < 2 * DAY) return join(whole, HOUR, "h", MINUTE, "min");
  const days = Math.floor(whole / DAY);
  const hours = Math.floor((whole % DAY) / HOUR);
  return hours === 0 ? `${days}${NB}days` : `${days}${NB}days ${hours}${NB}h`;
}

function join(seconds: number, big: number, bigUnit: string, small: number, smallUnit: string): string {
  const first = `${Math.floor(seconds / big)}${NB}${bigUnit}`;
  const rest = Math.floor((seconds % big) / small);
  return rest === 0 ? first : `${first} ${rest}${NB}${smallUnit}`;
}

/** Formats a duration given in ms: 0.4 ms · 184 ms · 4.81 s · 15.00 s, or an en dash if there is no value. */
export function duration(ms: number | null | undefined): string {
  if (ms === null || ms === undefined) return "–";
  if (ms < 0.05) return `0${NB}ms`;
  if (ms < 1) return `${ms.toFixed(1)}${NB}ms`;
  if (ms < 999.5) return `${Math.round(ms)}${NB}ms`;
  return `${(ms / 1_000).toFixed(2)}${NB}s`;
}

/** Formats a byte count in decimal units: 118 bytes · 912 MB · 1.8 GB. */
export function bytes(count: number | null | undefined): string {
  if (count === null || count === undefined) return "–";
  if (count < 1_000) return plural(count, "byte");
  const units = ["kB", "MB", "GB", "TB"];
  let value = count / 1_000;
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1_000;
    unit += 1;
  }
  return `${value < 99.95 ? value.toFixed(1) : Math.round(value)}${NB}${units[unit]}`;
}

/** Formats a percentage: 88.9% · 99.98% · 100% (only if part equals whole), or an en dash if whole is 0. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return "–";
  if (part === whole) return "100%";
  if (part === 0) return "0%";
  const value = (100 * part) / whole;
  const digits = value >= 99 ? 2 : 1;
  return `${Math.min(value, 100 - 10 ** -digits).toFixed(digits)}%`;
}

/** Formats the length of a video: 1:24 · 48:12 · 1:02:18 */
export function length(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined) return "–";
  const whole = Math.round(seconds);
  const two = (value: number) => String(value).padStart(2, "0");
  const minutes = Math.floor(whole / MINUTE) % 60;
  if (whole < HOUR) return `${minutes}:${two(whole % MINUTE)}`;
  return `${Math.floor(whole / HOUR)}:${two(minutes)}:${two(whole % MINUTE)}`;
}
