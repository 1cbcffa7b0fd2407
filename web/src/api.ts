// The HTTP API as the dashboard uses it. Every answer is parsed without loss; every error is a Problem
// that says what happened and what to do.
import { useEffect, useRef, useState } from "preact/hooks";
import { parseJson, type Json } from "./json";

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
  let about: { title?: string; detail?: string; hint?: string } = {};
  try { about = JSON.parse(text) as typeof about; } catch { /* not a problem document */ }
  throw new Problem(about.title ?? `HTTP ${response.status}`, response.status, about.detail ?? "", about.hint ?? "");
}

/** The id of an object or a one-column key as it stands in a URL (docs/api.md, "Ids in paths"). */
export function keyInUrl(id: string): string {
  if (!id.startsWith("~") && !id.startsWith("[")) return encodeURIComponent(id);
  const json = id.startsWith("[") ? id : JSON.stringify([id]);
  const bytes = new TextEncoder().encode(json);
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return "~" + btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export interface Loaded<T> { data?: T; error?: Problem; loading: boolean; reload: () => void }

/** What `path` gives. The old content stays while the new one loads; null asks for nothing. */
export function useGet<T>(path: string | null, every_ms = 0): Loaded<T> {
  const [state, set] = useState<{ data?: T; error?: Problem; loading: boolean }>({ loading: path !== null });
  const [turn, setTurn] = useState(0);
  const shown = useRef<string | null>(null);
  useEffect(() => {
    if (path === null) return;
    const abort = new AbortController();
    set((old) => ({ data: old.data, loading: shown.current !== path || !old.data }));
    get<T>(path, abort.signal).then(
      (data) => { shown.current = path; set({ data, loading: false }); },
      (error: unknown) => {
        if (!abort.signal.aborted) set((old) => ({ data: old.data, error: asProblem(error), loading: false }));
      },
    );
    return () => abort.abort();
  }, [path, turn]);
  useEffect(() => {
    if (!every_ms) return;
    const timer = setInterval(() => { if (!document.hidden) setTurn((n) => n + 1); }, every_ms);
    return () => clearInterval(timer);
  }, [every_ms]);
  return { ...state, reload: () => setTurn((n) => n + 1) };
}

export function asProblem(error: unknown): Problem {
  return error instanceof Problem ? error : new Problem("The dashboard stumbled", 0, String(error), "Reload the page.");
}
