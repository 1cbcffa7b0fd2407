// One row before and after: only what changed, word by word, until the reader asks for all.
import { useState } from "preact/hooks";
import { rowKeyInUrl, type Change, type Row } from "../api";
import { wordDiff } from "../diff";
import { toJson, type Json } from "../json";

const FOLD = 300;

function plain(value: Json | undefined): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : toJson(value, typeof value === "object" && value !== null ? 2 : 0);
}

function Value({ value, cell, kind }: { value: Json | undefined; cell?: Json; kind?: "added" | "removed" }) {
  const [all, setAll] = useState(false);
  if (cell !== undefined) return <span class="muted">{cellInWords(cell)}</span>;
  if (value === undefined) return <span class="muted">not logged</span>;
  if (value === null) return <span class={`null ${kind ?? ""}`}>NULL</span>;
  const text = plain(value);
  if (text === "") return <span class={`null ${kind ?? ""}`}>empty text</span>;
  const long = text.length > FOLD && !all;
  return (
    <>
      <span class={`val ${kind ?? ""}`}>{long ? text.slice(0, FOLD) + "…" : text}</span>
      {long ? <button type="button" class="quiet small" onClick={() => setAll(true)}>all {text.length} characters</button> : null}
    </>
  );
}

function cellInWords(cell: Json): string {
  const it = cell as { [name: string]: Json };
  if ("masked" in it) return `masked (${String(it.masked)})`;
  if ("bytes" in it) return `${String(it.bytes)} bytes, too long to keep; SHA-256 ${String(it.sha256)}`;
  if ("wire" in it) return `bytes as sent, meaning unknown: ${String(it.wire)}`;
  return toJson(cell);
}

function Words({ before, after }: { before: string; after: string }) {
  return (
    <>
      <del>{wordDiff(before, after).filter((p) => p.kind !== "added").map((p, i) => (p.kind === "removed" ? <mark key={i}>{p.text}</mark> : p.text))}</del>
      <ins>{wordDiff(before, after).filter((p) => p.kind !== "removed").map((p, i) => (p.kind === "added" ? <mark key={i}>{p.text}</mark> : p.text))}</ins>
    </>
  );
}

const VERBS: Record<string, string> = { insert: "inserted", update: "updated", delete: "deleted", truncate: "truncated", ddl: "definition", snapshot: "as found" };

export function keyText(key: Row | null | undefined): string {
  if (!key) return "no key";
  return Object.entries(key).map(([name, value]) => `${name} ${plain(value)}`).join(", ");
}
export function rowUrl(change: Change): string | null {
  if (!change.database || !change.table || !change.pk) return null;
  return `/rows/${encodeURIComponent(change.database)}/${encodeURIComponent(change.table)}/${rowKeyInUrl(change.pk)}?source=${encodeURIComponent(change.source)}`;
}

export function ChangeCard({ change, link = true }: { change: Change; link?: boolean }) {
  const [all, setAll] = useState(false);
  const old = change.old ?? {}, now = change.new ?? {};
  const columns = [...new Set([...Object.keys(old), ...Object.keys(now)])];
  const changed = change.op === "update" ? new Set(change.changed ?? []) : new Set(columns);
  const shown = all || change.op !== "update" ? columns : columns.filter((name) => changed.has(name));
  const hidden = columns.length - shown.length;
  const url = rowUrl(change);
  return (
    <div class="change">
      <h3>
        <span class={`op ${change.op}`}>{VERBS[change.op] ?? change.op}</span>{" "}
        <span class="mono">{change.table ?? change.database ?? ""}</span>{" "}
        {link && url ? <a class="mono" href={url}>{keyText(change.pk)}</a> : <span class="mono muted">{change.op === "ddl" || change.op === "truncate" ? "" : keyText(change.pk)}</span>}
        {change.old_pk ? <span class="muted"> was {keyText(change.old_pk)}</span> : null}
      </h3>
      {columns.length ? (
        <table class="diff">
          <colgroup><col class="name" /><col /></colgroup>
          <thead class="sr"><tr><th scope="col">Column</th><th scope="col">Value</th></tr></thead>
          <tbody>
            {shown.map((name) => {
              const cellOld = change.cells?.[`old.${name}`], cellNew = change.cells?.[`new.${name}`];
              const a = old[name], b = now[name];
              const both = change.op === "update" && changed.has(name);
              const words = both && typeof a === "string" && typeof b === "string" && a.length + b.length > 24 && /\s/.test(a + b) && !cellOld && !cellNew;
              return (
                <tr key={name} class={both ? "changed" : ""}>
                  <th scope="row">{name}</th>
                  <td>
                    {words ? <Words before={a} after={b} />
                      : both ? <><Value value={a} cell={cellOld} kind="removed" /> <span class="arrow" aria-label="became">→</span> <Value value={b} cell={cellNew} kind="added" /></>
                      : change.op === "delete" ? <Value value={a} cell={cellOld} />
                      : <Value value={b} cell={cellNew} />}
                  </td>
                </tr>
              );
            })}
          </tbody>
        </table>
      ) : null}
      {hidden > 0 || (all && change.op === "update") ? (
        <button type="button" class="quiet small" onClick={() => setAll(!all)}>{all ? "only what changed" : `show ${hidden} unchanged column${hidden === 1 ? "" : "s"}`}</button>
      ) : null}
    </div>
  );
}
