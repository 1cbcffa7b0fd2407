// One database row: what it was at a time, and every change that made, moved or removed it.
import { keyInUrl, rowKeyInUrl, useGet, type Change, type ChangePage, type Row } from "../api";
import { full, number } from "../format";
import { parseJson, toJson, type Json } from "../json";
import { go, withQuery, type Place } from "../router";
import { Empty, Failed, Loading, Skeleton, Time, Who } from "../ui";
import { ChangeCard, keyText, rowUrl } from "./change";

interface RowHistory {
  source: string; database: string; table: string; pk: Row; at: string | null;
  state: { exists: boolean; basis: string; seq: number; committed_at: string; row: Row | null; cells?: { [column: string]: Json }; complete?: boolean; ddl?: number };
  changes: Change[]; next: string | null;
}

export function RowView({ place }: { place: Place }) {
  const [, database, table, key] = place.path;
  return database && table && key ? <History place={place} database={database} table={table} id={key} /> : <Recent database={database} table={table} />;
}

const BASIS: Record<string, string> = {
  after_image: "as the last change left it", before_image: "as the first change found it",
  gone: "it was deleted, moved to another key, or its table emptied", not_yet: "it was inserted later",
};

function History({ place, database, table, id }: { place: Place; database: string; table: string; id: string }) {
  const query = new URLSearchParams();
  for (const name of ["source", "at", "cursor"]) {
    const value = place.query.get(name);
    if (value) query.set(name, value);
  }
  const loaded = useGet<RowHistory>(`/v1/rows/${encodeURIComponent(database)}/${encodeURIComponent(table)}/${encodeURIComponent(id)}?${query}`);
  const row = loaded.data;
  const at = place.query.get("at");
  return (
    <div class="page">
      <Loading on={loaded.loading} />
      <h1 class="title"><span class="muted">{database}.</span>{table} {row ? <span class="mono">{keyText(row.pk)}</span> : null}</h1>
      {loaded.error ? <Failed problem={loaded.error} retry={loaded.reload} /> : null}
      {!row && !loaded.error ? <Skeleton rows={8} /> : null}
      {row ? (
        <section>
          <h2>{row.at ? <>As it was on {full(row.at)}</> : "As it is"}</h2>
          <p class="facts">
            {row.state.exists ? "" : "There is no such row: "}{BASIS[row.state.basis] ?? row.state.basis}, <Time iso={row.state.committed_at} form="full" />.
            {row.state.complete === false ? " Some columns were never logged." : ""}{row.state.ddl ? " The table was altered since." : ""}
            {at ? <> <a href={withQuery({ at: null, cursor: null })}>As it is now</a></> : null}
          </p>
          {row.state.row ? <dl class="pairs state">{Object.entries(row.state.row).map(([name, value]) => (
            <div key={name}><dt>{name}</dt><dd class="mono">{row.state.cells?.[name] !== undefined ? toJson(row.state.cells[name]) : value === null ? <span class="null">NULL</span> : typeof value === "string" ? value : toJson(value)}</dd></div>
          ))}</dl> : null}
        </section>
      ) : null}
      {row ? <h2>{at ? "Changes until then" : "Changes"}</h2> : null}
      {row && row.changes.length === 0 ? <Empty>The log holds no change of this row{at ? " until then" : ""}.</Empty> : null}
      <div class="timeline">
        {row?.changes.map((change) => (
          <section key={change.seq}>
            <p class="facts">
              <Time iso={change.committed_at ?? ""} form="full" /> · <Who actor={change.actor} />
              {" · "}<a href={`/events?transaction=${encodeURIComponent(change.transaction)}&source=${encodeURIComponent(change.source)}`}>its events</a>
              {" · "}<a href={withQuery({ at: change.committed_at ?? null, cursor: null })}>the row then</a> <span class="muted num">seq {change.seq}</span>
            </p>
            <ChangeCard change={change} link={false} />
          </section>
        ))}
      </div>
      {row?.next ? <button type="button" onClick={() => go(withQuery({ cursor: row.next }))}>Older changes</button> : null}
    </div>
  );
}

/** `7`, `[7,"a"]` or `{"id":7}` as a path takes it. */
function keyOfText(text: string): string {
  if (text.startsWith("{")) {
    try { return rowKeyInUrl(parseJson(text) as Row); } catch { /* the server says what is wrong with it */ }
  }
  return keyInUrl(text);
}

function Recent({ database, table }: { database?: string; table?: string }) {
  const query = new URLSearchParams();
  if (database) query.set("database", database);
  if (table) query.set("table", table);
  const loaded = useGet<ChangePage>(`/v1/changes?${query}`);
  const changes = loaded.data?.changes ?? [];
  const submit = (event: globalThis.Event) => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    const [a, b] = String(form.get("table")).split(".");
    go(`/rows/${encodeURIComponent(a ?? "")}/${encodeURIComponent(b ?? "")}/${keyOfText(String(form.get("key")).trim())}`);
  };
  return (
    <div class="page">
      <Loading on={loaded.loading} />
      <h1 class="title">Rows{table ? <span class="muted"> of {database}.{table}</span> : null}</h1>
      <p>A row's page tells what it holds, what it held at any time, and every change in between.</p>
      <form class="find" onSubmit={submit}>
        <label>Table <input name="table" required placeholder="pharmacy.stock" pattern="[^.]+\.[^.]+" title="database.table" defaultValue={table ? `${database}.${table}` : ""} /></label>
        <label>Key <input name="key" required placeholder="7, or [7,3] for two columns" size={26} /></label>
        <button type="submit" class="primary">Show its history</button>
      </form>
      <h2>Changed last</h2>
      {loaded.error ? <Failed problem={loaded.error} retry={loaded.reload} /> : null}
      {!loaded.data && !loaded.error ? <Skeleton rows={10} /> : null}
      {loaded.data && changes.length === 0 ? <Empty>No row was changed yet.</Empty> : null}
      {changes.length ? (
        <div class="wide"><table class="plain">
          <thead><tr><th scope="col">Time</th><th scope="col">Table</th><th scope="col">Key</th><th scope="col">What</th><th scope="col">Columns</th><th scope="col">Who</th></tr></thead>
          <tbody>
            {changes.map((change) => (
              <tr key={change.seq}>
                <td><Time iso={change.committed_at ?? ""} form="full" /></td><td class="mono">{change.table}</td>
                <td class="mono">{rowUrl(change) ? <a href={rowUrl(change)!}>{keyText(change.pk)}</a> : keyText(change.pk)}</td>
                <td>{change.op}</td><td class="mono muted">{change.op === "update" ? change.changed?.join(", ") : number(Object.keys(change.new ?? change.old ?? {}).length)}</td>
                <td><Who actor={change.actor} /></td>
              </tr>
            ))}
          </tbody>
        </table></div>
      ) : null}
    </div>
  );
}
