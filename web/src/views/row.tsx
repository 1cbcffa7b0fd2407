// Every change of one database row, newest first, and the row as it stood after each.
import { useGet, type ChangePage } from "../api";
import { number } from "../format";
import { parseJson } from "../json";
import { go, withQuery, type Place } from "../router";
import { Empty, Failed, Loading, Skeleton, Time, Who } from "../ui";
import { ChangeCard, keyText, rowUrl } from "./change";
import type { Row } from "../api";

export function RowView({ place }: { place: Place }) {
  const [, database, table] = place.path;
  const pk = place.query.get("pk");
  return database && table && pk ? <History database={database} table={table} pk={pk} cursor={place.query.get("cursor")} /> : <Recent database={database} table={table} />;
}

function key(pk: string): Row | null {
  try { return parseJson(pk) as Row; } catch { return null; }
}

function History({ database, table, pk, cursor }: { database: string; table: string; pk: string; cursor: string | null }) {
  const query = new URLSearchParams({ database, table, pk });
  if (cursor) query.set("cursor", cursor);
  const loaded = useGet<ChangePage>(`/v1/changes?${query}`);
  const changes = loaded.data?.changes ?? [];
  return (
    <div class="page">
      <Loading on={loaded.loading} />
      <h1 class="title"><span class="muted">{database}.</span>{table} <span class="mono">{keyText(key(pk))}</span></h1>
      {loaded.error ? <Failed problem={loaded.error} retry={loaded.reload} /> : null}
      {!loaded.data && !loaded.error ? <Skeleton rows={8} /> : null}
      {loaded.data && changes.length === 0 ? <Empty>The log holds no change of this row.</Empty> : null}
      <div class="timeline">
        {changes.map((change) => (
          <section key={change.seq}>
            <p class="facts"><Time iso={change.committed_at ?? ""} form="full" /> · <Who actor={change.actor} /> · <a href={`/events?transaction=${encodeURIComponent(change.transaction)}`}>its events</a> <span class="muted num">seq {change.seq}</span></p>
            <ChangeCard change={change} link={false} />
          </section>
        ))}
      </div>
      {loaded.data?.next ? <button type="button" onClick={() => go(withQuery({ cursor: loaded.data!.next }))}>Older changes</button> : null}
    </div>
  );
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
    const text = String(form.get("key")).trim();
    const pk = text.startsWith("{") ? text : /^-?\d+$/.test(text) ? `{"id":${text}}` : `{"id":${JSON.stringify(text)}}`;
    go(`/rows/${encodeURIComponent(a ?? "")}/${encodeURIComponent(b ?? "")}?pk=${encodeURIComponent(pk)}`);
  };
  return (
    <div class="page">
      <Loading on={loaded.loading} />
      <h1 class="title">Rows{table ? <span class="muted"> of {database}.{table}</span> : null}</h1>
      <form class="find" onSubmit={submit}>
        <label>Table <input name="table" required placeholder="pharmacy.stock" pattern="[^.]+\.[^.]+" title="database.table" defaultValue={table ? `${database}.${table}` : ""} /></label>
        <label>Key <input name="key" required placeholder='7 or {"id":7}' /></label>
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
                <td><Time iso={change.committed_at ?? ""} /></td><td class="mono">{change.table}</td>
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
