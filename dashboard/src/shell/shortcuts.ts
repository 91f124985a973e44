/** Keyboard shortcuts of one or two keys. They are inactive while the user types, and can be turned off in Settings. */
import { useEffect, useRef } from "react";

const SEQUENCE_MS = 1_200;
const STORED = "mave.keys";

export type Shortcuts = Record<string, () => void>;

export const shortcutsEnabled = (): boolean => localStorage.getItem(STORED) !== "off";
export const enableShortcuts = (on: boolean): void => localStorage.setItem(STORED, on ? "on" : "off");

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || target.matches("input:not([type=checkbox], [type=radio]), textarea, select"));

const inPopup = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest("[role=dialog], [role=menu], [role=alertdialog]") !== null;

/** Binds keys while the component is mounted: `{"g w": …, s: …, "mod+k": …}`. */
export function useShortcuts(keys: Shortcuts): void {
  const latest = useRef(keys);
  useEffect(() => {
    latest.current = keys;
  });
  useEffect(() => {
    const onKey = listener(() => latest.current);
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
}

function listener(keys: () => Shortcuts) {
  let first = { key: "", at: 0 };
  return (event: KeyboardEvent) => {
    const name = event.metaKey || event.ctrlKey ? `mod+${event.key.toLowerCase()}` : event.key.toLowerCase();
    const plain = !name.startsWith("mod+");
    if (
      event.defaultPrevented ||
      event.altKey ||
      (plain && (isTyping(event.target) || inPopup(event.target) || !shortcutsEnabled()))
    )
      return;
    const pair = event.timeStamp - first.at < SEQUENCE_MS ? `${first.key} ${name}` : "";
    const act = keys()[pair] ?? (isSecond(pair) ? undefined : keys()[name]);
    first = { key: name, at: event.timeStamp };
    if (act === undefined) return;
    event.preventDefault();
    first.key = "";
    act();
  };
}

/**
 * A key pressed right after G or C can only complete the sequence. It never triggers a single-key shortcut, even if
 * another component binds one to it.
 */
const isSecond = (pair: string): boolean => pair.startsWith("g ") || pair.startsWith("c ");

/** J and K move the focus between rows. */
export function moveRow(step: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>("main [data-row]")];
  const at = rows.indexOf(document.activeElement as HTMLElement);
  const next = rows[at === -1 ? (step === 1 ? 0 : rows.length - 1) : at + step];
  next?.focus();
  next?.scrollIntoView({ block: "nearest" });
}
