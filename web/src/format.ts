// Times and numbers as people read them.
import { useEffect, useState } from "preact/hooks";

const THIN = "\u2009";

export function number(value: number | bigint): string {
  const text = String(value);
  if (!/^-?\d+$/.test(text)) return text;
  return text.replace(/\B(?=(\d{3})+$)/g, THIN);
}

// --- what the reader chose; kept in this browser -------------------------------------------------
export type Theme = "auto" | "light" | "dark";
/** keys: whether single keys (j, k, x, /) act. views: saved queries of Events. */
export interface Choices { utc: boolean; theme: Theme; keys: boolean; views: { name: string; query: string }[] }
const KEY = "rowtrail";
const DEFAULTS: Choices = { utc: true, theme: "auto", keys: true, views: [] };
function load(): Choices {
  try { return { ...DEFAULTS, ...(JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Choices>) }; }
  catch { return DEFAULTS; }
}
let choices = load();
const listeners = new Set<() => void>();
export function choose(change: Partial<Choices>): void {
  choices = { ...choices, ...change };
  try { localStorage.setItem(KEY, JSON.stringify(choices)); } catch { /* private window */ }
  applyTheme();
  listeners.forEach((listener) => listener());
}
export function applyTheme(): void {
  if (choices.theme === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = choices.theme;
}
export const chosen = (): Choices => choices;
export function useChoices(): Choices {
  const [, turn] = useState(0);
  useEffect(() => {
    const update = () => turn((n) => n + 1);
    listeners.add(update);
    return () => { listeners.delete(update); };
  }, []);
  return choices;
}

// --- times ----------------------------------------------------------------------------------------
const two = (n: number) => String(n).padStart(2, "0");

export function dayOf(iso: string): string {
  if (choices.utc) return iso.slice(0, 10);
  const date = new Date(iso);
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
/** 10:00:00.123 in the reader's zone */
export function clock(iso: string, digits = 3): string {
  const date = new Date(iso);
  const fraction = (/\.(\d+)/.exec(iso)?.[1] ?? "").padEnd(6, "0").slice(0, digits);
  const [h, m, s] = choices.utc
    ? [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()]
    : [date.getHours(), date.getMinutes(), date.getSeconds()];
  return `${two(h)}:${two(m)}:${two(s)}${digits ? "." + fraction : ""}`;
}
export function full(iso: string): string {
  return `${dayOf(iso)} ${clock(iso)} ${choices.utc ? "UTC" : "local"}`;
}
export function dayInWords(day: string): string {
  const date = new Date(day + "T00:00:00Z");
  return date.toLocaleDateString("en-GB", { weekday: "long", day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
}
export function shortDay(day: string): string {
  return new Date(day + "T00:00:00Z").toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" });
}
export function today(): string {
  return dayOf(new Date().toISOString());
}
/** Whether there is such a day: 2026-02-30 is none. */
export function isDay(text: string): boolean {
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(text + "T00:00:00Z") : NaN;
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text);
}
export const shiftDay = (day: string, by: number) => new Date(Date.parse(day + "T00:00:00Z") + by * 86_400_000).toISOString().slice(0, 10);
/** When the day begins, in milliseconds; local days can have 23 or 25 hours. */
export function midnight(day: string): number {
  return Date.parse(day + (choices.utc ? "T00:00:00Z" : "T00:00:00"));
}
export function span(seconds: number): string {
  if (seconds < 1) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  if (seconds < 172_800) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}
export function ago(iso: string): string {
  const seconds = (Date.now() - Date.parse(iso)) / 1000;
  return seconds < 86_400 ? `${span(Math.max(0, seconds))} ago` : full(iso);
}
