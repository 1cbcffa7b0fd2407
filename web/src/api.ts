// The HTTP API as the dashboard uses it. Every answer is parsed without loss; every error is a Problem
// that says what happened and what to do.
import { useEffect, useRef, useState } from "preact/hooks";
import { number } from "./format";
import { parseJson, toJson, type Json } from "./json";

export interface Obj { type: string; id: string; role?: string }
export interface Actor { id: string; via?: string; confidence?: string }
export type Severity = "info" | "low" | "medium" | "high" | "critical";
export interface Event {
  seq: number; type: string; time: string; source: string; transaction: string;
  title?: string; summary?: string; severity?: Severity; objects?: Obj[]; actor?: Actor | null;
  attributes?: { [name: string]: Json }; rule?: { id: string; version: string } | null; evidence?: number[];
}
export type Row = { [column: string]: Json };
export interface Change {
  seq: number; source: string; transaction: string; ordinal: number; op: string;
  position?: { file: string; pos: number }; committed_at?: string; database?: string; table?: string;
  pk?: Row | null; old_pk?: Row | null; old?: Row | null; new?: Row | null; changed?: string[];
  cells?: { [name: string]: Json }; schema_version?: number; server_id?: number; thread_id?: number;
  query?: string; statement?: number; sql?: string; actor?: Actor | null;
}
export interface Facet { distinct: number; values: { value: string; count: number }[] }
/** How many values have a name, "at least 49" when the answer holds only the most frequent. */
export function named(facet: Facet): string {
  const unnamed = facet.values.some(({ value }) => value === "") ? 1 : 0;
  const cut = facet.distinct > facet.values.length && !unnamed;
  return cut ? `at least ${number(facet.distinct - 1)}` : number(facet.distinct - unnamed);
}
export interface Bucket { time: string; info: number; low: number; medium: number; high: number; critical: number }
export interface Stats {
  events: number; complete: boolean; types: Facet; actors: Facet; severities: Facet; sources: Facet;
  object_types: Facet; histogram: { bucket_s: number; buckets: Bucket[] };
}
export interface Status {
  version: string; origin: string; size: number; transactions: number; changes: number; events: number;
  gaps: number; source_connected: boolean; store_writable: boolean; lag_s: number; detail?: string;
  sources: { source: string; file: string; pos: number; gtid_set: string; event_time: string; committed: string }[];
}
export interface Gap {
  seq: number; kind: string; source: string; transaction: string; position: { file: string; pos: number };
  committed_at: string; database?: string; table?: string; reason: string; advice: string; sql?: string;
}
export interface GapPage { gaps: Gap[]; next: string | null }
export interface EventPage { events: Event[]; next: string | null }
export interface ChangePage { changes: Change[]; next: string | null }
export interface TransactionPage extends ChangePage {
  transaction: Row & { seq: number }; events: Event[];
}

export class Problem extends Error {
  constructor(readonly title: string, readonly status: number, readonly detail: string, readonly hint: string) {
    super(title);
  }
}

/** "ended": somebody asked without a session, so the login is shown. "forget": what was read is to be dropped. */
export const session = new EventTarget();

export async function get<T>(path: string, signal?: AbortSignal): Promise<T> {
  let response: Response;
  try {
    response = await fetch(path, { headers: { Accept: "application/json" }, signal });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new Problem("rowtrail does not answer", 0, "The connection failed.",
      "Is it still running? Start it with `rowtrail run` or `rowtrail serve`, then try again.");
  }
  const text = await response.text();
  if (response.ok) return parseJson(text) as T;
  if (response.status === 401) session.dispatchEvent(new globalThis.Event("ended"));
  let about: { title?: string; detail?: string; hint?: string } = {};
  try { about = JSON.parse(text) as typeof about; } catch { /* not a problem document */ }
  throw new Problem(about.title ?? `HTTP ${response.status}`, response.status, about.detail ?? "", about.hint ?? "");
}

function base64url(text: string): string {
  let binary = "";
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
/** The id of an object as it stands in a URL (docs/api.md, "Ids in paths"); of several parts: its JSON array. */
export function keyInUrl(id: string): string {
  if (id !== "" && id !== "." && id !== ".." && !id.startsWith("~") && !id.startsWith("[")) return encodeURIComponent(id);
  return "~" + base64url(id.startsWith("[") ? id : JSON.stringify([id]));
}
/** The key of a row, likewise. */
export function rowKeyInUrl(pk: Row): string {
  const values = Object.values(pk);
  const only = values[0];
  if (values.length === 1 && !(typeof only === "string" && only.startsWith("["))) return keyInUrl(typeof only === "string" ? only : toJson(only));
  return "~" + base64url(toJson(values));
}

export interface Loaded<T> { data?: T; error?: Problem; loading: boolean; reload: () => void }

// The answers seen last, so that Back finds its page full, and the browser its place on it.
const seen = new Map<string, unknown>();
const SEEN_MAX = 30;
function remember(path: string, data: unknown): void {
  seen.delete(path);
  seen.set(path, data);
  if (seen.size > SEEN_MAX) seen.delete(seen.keys().next().value!);
}
session.addEventListener("forget", () => seen.clear());

interface Answer<T> { path: string | null; data?: T; error?: Problem; loading: boolean }

/**
 * What `path` gives; null asks for nothing. The old content stays while the new one loads, and an error
 * until there is an answer. With `every_ms` it is asked again so long after the last answer came.
 */
export function useGet<T>(path: string | null, every_ms = 0): Loaded<T> {
  const [state, set] = useState<Answer<T>>(() => ({ path, data: path === null ? undefined : (seen.get(path) as T | undefined), loading: path !== null }));
  const [turn, setTurn] = useState(0);
  const answered = useRef<string | null>(null);
  useEffect(() => {
    if (path === null) return;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const again = () => {
      if (document.hidden) document.addEventListener("visibilitychange", again, { once: true });
      else setTurn((n) => n + 1);
    };
    set((old) => (old.path === path ? { ...old, loading: !old.data } : { path, data: (seen.get(path) as T | undefined) ?? old.data, loading: true }));
    get<T>(path, abort.signal).then(
      (data) => { remember(path, data); set({ path, data, loading: false }); },
      (error: unknown) => {
        // What another path gave does not stay under this one's title.
        if (!abort.signal.aborted) set((old) => ({ path, data: answered.current === path ? old.data : undefined, error: asProblem(error), loading: false }));
      },
    ).finally(() => {
      if (abort.signal.aborted) return;
      answered.current = path;
      if (every_ms) timer = setTimeout(again, every_ms);
    });
    return () => { abort.abort(); clearTimeout(timer); document.removeEventListener("visibilitychange", again); };
  }, [path, turn, every_ms]);
  return { ...state, reload: () => setTurn((n) => n + 1) };
}

export function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem("The dashboard stumbled", 0, String(error), "Reload the page.");
}
