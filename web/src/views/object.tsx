// One business object through time, newest first, grouped by day.
import { useState } from "preact/hooks";
import { asProblem, get, keyInUrl, named, useGet, type Event, type EventPage, type Facet, type Problem, type Stats } from "../api";
import { dayInWords, dayOf, number, useChoices } from "../format";
import { go, type Place } from "../router";
import { EventLine, Failed, Loading, ObjLink, Skeleton } from "../ui";

export function ObjectView({ place }: { place: Place }) {
  const [, type, id] = place.path;
  return type && id ? <Timeline type={type} id={decodeKey(id)} /> : <Find />;
}

function decodeKey(text: string): string {
  if (!text.startsWith("~")) return text;
  try {
    const bytes = Uint8Array.from(atob(text.slice(1).replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    const json = new TextDecoder().decode(bytes);
    const list = JSON.parse(json) as unknown[];
    return list.length === 1 ? String(list[0]) : json;
  } catch { return text; }
}

function Find() {
  const stats = useGet<Stats>("/v1/stats");
  const recent = useGet<EventPage>("/v1/events?limit=100");
  const seen = new Map<string, { type: string; id: string }>();
  for (const event of recent.data?.events ?? []) for (const o of event.objects ?? []) seen.set(`${o.type}/${o.id}`, o);
  const byType = new Map<string, { type: string; id: string }[]>();
  for (const o of seen.values()) byType.set(o.type, [...(byType.get(o.type) ?? []), o]);
  const submit = (event: globalThis.Event) => {
    event.preventDefault();
    const form = new FormData(event.target as HTMLFormElement);
    go(`/objects/${encodeURIComponent(String(form.get("type")))}/${keyInUrl(String(form.get("id")))}`);
  };
  const types = stats.data?.object_types.values ?? [];
  return (
    <div class="page">
      <Loading on={stats.loading || recent.loading} />
      <h1 class="title">Objects</h1>
      <p>A business object is what events speak of: a product, a sale, a user. Its page tells its whole story.</p>
      {stats.error ? <Failed problem={stats.error} retry={stats.reload} /> : null}
      <form class="find" onSubmit={submit}>
        <label>Type <select name="type" required>{types.map(({ value }) => <option key={value} value={value}>{value}</option>)}</select></label>
        <label>Id <input name="id" required /></label>
        <button type="submit" class="primary">Show</button>
      </form>
      <h2>In the newest events</h2>
      {recent.data ? null : <Skeleton rows={6} />}
      <dl class="pairs">
        {[...byType].map(([type, objects]) => (
          <div key={type}><dt>{type}</dt><dd class="objects">{objects.slice(0, 12).map((o) => <ObjLink key={o.id} object={{ type: o.type, id: o.id }} />)}</dd></div>
        ))}
      </dl>
    </div>
  );
}

export function Days({ events }: { events: Event[] }) {
  useChoices();
  const days: [string, Event[]][] = [];
  for (const event of events) {
    const day = dayOf(event.time);
    if (days[days.length - 1]?.[0] === day) days[days.length - 1]![1].push(event);
    else days.push([day, [event]]);
  }
  return (
    <div class="timeline">
      {days.map(([day, list]) => (
        <section key={day}><h2>{dayInWords(day)}</h2>{list.map((event) => <EventLine key={event.seq} event={event} from="object" />)}</section>
      ))}
    </div>
  );
}

const TOP = 10;
function Top({ values, distinct, link }: { values: Facet["values"]; distinct: number; link: (value: string) => string }) {
  return (
    <ul class="counts">
      {values.slice(0, TOP).map((v) => <li key={v.value}><a href={link(v.value)}>{v.value}</a><span class="num">{number(v.count)}</span></li>)}
      {distinct > TOP ? <li class="muted">the {TOP} most frequent of {number(distinct)}</li> : null}
    </ul>
  );
}

function Timeline({ type, id }: { type: string; id: string }) {
  const path = `/v1/objects/${encodeURIComponent(type)}/${keyInUrl(id)}`;
  const loaded = useGet<EventPage>(path);
  const stats = useGet<Stats>(`/v1/stats?object=${encodeURIComponent(`${type}/${keyInUrl(id)}`)}`);
  const [more, setMore] = useState<{ path: string; events: Event[]; next: string | null }>();
  const [error, setError] = useState<Problem>();
  if (loaded.error && !loaded.data) return <div class="page"><Failed problem={loaded.error} retry={loaded.reload} /></div>;
  if (!loaded.data) return <div class="page"><Skeleton rows={10} /></div>;
  const extra = more?.path === path ? more : { events: [], next: loaded.data.next };
  const events = [...loaded.data.events, ...extra.events];
  const related = new Map<string, { type: string; id: string; count: number }>();
  for (const event of events) for (const o of event.objects ?? []) {
    if (o.type === type && o.id === id) continue;
    const key = `${o.type}/${o.id}`;
    related.set(key, { type: o.type, id: o.id, count: (related.get(key)?.count ?? 0) + 1 });
  }
  const older = () => {
    if (!extra.next) return;
    get<EventPage>(`${path}?cursor=${encodeURIComponent(extra.next)}`).then(
      (page) => setMore({ path, events: [...extra.events, ...page.events], next: page.next }), (e: unknown) => setError(asProblem(e)));
  };
  const people = stats.data?.actors.values.filter((v) => v.value) ?? [];
  return (
    <div class="page two">
      <div>
        <Loading on={loaded.loading} />
        <h1 class="title"><span class="muted">{type}</span> <span class="mono">{id}</span></h1>
        {stats.error ? <Failed problem={stats.error} retry={stats.reload} /> : null}
        {stats.data ? <p><strong class="num">{stats.data.complete ? "" : "the newest "}{number(stats.data.events)}</strong> {stats.data.events === 1 ? "event" : "events"} by <span class="num">{named(stats.data.actors)}</span> people, of {stats.data.types.distinct} types. <a href={`/events?object=${encodeURIComponent(`${type}/${keyInUrl(id)}`)}`}>Filter them</a></p> : null}
        <Days events={events} />
        {error ? <Failed problem={error} retry={older} /> : null}
        {extra.next ? <button type="button" onClick={older}>Older events</button> : <p class="muted">This is where its story begins in the log.</p>}
      </div>
      <aside aria-label="Around it">
        {stats.data ? <><h2>What happens to it</h2><Top values={stats.data.types.values} distinct={stats.data.types.distinct} link={(type_) => `/events?object=${encodeURIComponent(`${type}/${keyInUrl(id)}`)}&type=${encodeURIComponent(type_)}`} /></> : null}
        {people.length ? <><h2>Who</h2><Top values={people} distinct={stats.data!.actors.distinct} link={(actor) => `/events?object=${encodeURIComponent(`${type}/${keyInUrl(id)}`)}&actor=${encodeURIComponent(actor)}`} /></> : null}
        {related.size ? <><h2>Related, in the events beside</h2><ul class="counts">{[...related.values()].sort((a, b) => b.count - a.count).slice(0, 15).map((o) => <li key={o.type + o.id}><ObjLink object={o} /><span class="num">{o.count}</span></li>)}</ul></> : null}
      </aside>
    </div>
  );
}
