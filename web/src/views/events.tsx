// Events: facets, histogram, chips and query text over one list, live when wanted.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { asProblem, get, named, session, useGet, type Event, type EventPage, type Facet, type Problem, type Stats } from "../api";
import { Bars } from "../chart";
import { choose, dayOf, number, useChoices } from "../format";
import { typing } from "../main";
import { apiQuery, changesFor, termsOf, termsToText, termText, textToTerms, type Term } from "../query";
import { go, withQuery, type Place } from "../router";
import { useStream } from "../stream";
import { Empty, Failed, Loading, Menu, ObjLink, Sev, Skeleton, Time, Who } from "../ui";
import { EventDetail } from "./event";

const ROW = 32;
const ROWS_MAX = 10_000; // kept of what comes in
const COLUMNS = {
  time: { title: "Time", width: "176px" }, summary: { title: "What", width: "minmax(220px, 1fr)" },
  actor: { title: "Who", width: "120px" }, objects: { title: "Objects", width: "minmax(120px, 0.7fr)" },
  type: { title: "Type", width: "170px" }, table: { title: "Source", width: "100px" },
  transaction: { title: "Transaction", width: "150px" }, rule: { title: "Rule", width: "140px" },
  seq: { title: "Seq", width: "76px" }, severity: { title: "Severity", width: "84px" },
};
type Column = keyof typeof COLUMNS;
const DEFAULT: Column[] = ["time", "summary", "actor", "objects", "severity"];
const SEVERITIES = ["info", "low", "medium", "high", "critical"] as const;

interface Listed { rows: Event[]; more: boolean }
/** What the reader left behind, for Back: the rows that were loaded and the place among them. */
let left: { query: string; list: Listed; top: number } | undefined;
session.addEventListener("forget", () => { left = undefined; });

/** The list: pages as the reader scrolls, and what comes in meanwhile. */
function useEvents(query: string, live: boolean, back: boolean) {
  const again = useRef(back && left?.query === query ? left : undefined);
  const [list, setList] = useState<Listed>(again.current?.list ?? { rows: [], more: false });
  const [waiting, setWaiting] = useState<Event[]>([]);
  const [error, setError] = useState<Problem>();
  const [loading, setLoading] = useState(!again.current);
  const [first, setFirst] = useState(!again.current);
  const [turn, setTurn] = useState(0);
  // The stream goes on behind this seq.
  const [start, setStart] = useState<number | null>(again.current ? again.current.list.rows[0]?.seq ?? 0 : null);
  const busy = useRef(false);
  const wanted = useRef(query);
  const shown = useRef<string | null>(again.current ? query : null);

  useEffect(() => {
    wanted.current = query;
    if (again.current?.query === query) { again.current = undefined; return; }
    const abort = new AbortController();
    setLoading(true); setError(undefined); setStart(null);
    get<EventPage>(`/v1/events?${query}`, abort.signal).then((page) => {
      shown.current = query;
      setList({ rows: page.events, more: page.next !== null }); setWaiting([]); setLoading(false); setFirst(false);
      setStart(page.events[0]?.seq ?? 0);
    }, (problem: unknown) => {
      if (abort.signal.aborted) return;
      if (shown.current !== query) setList({ rows: [], more: false }); // rows of another query
      setWaiting([]); setError(asProblem(problem)); setLoading(false); setFirst(false);
    });
    return () => abort.abort();
  }, [query, turn]);

  const add = (fresh: Event[]) => setList((old) => {
    // The newest that fit; what falls off the end is asked for again when the reader comes there.
    const rows = [...fresh, ...old.rows];
    const kept = Math.max(ROWS_MAX, old.rows.length);
    return rows.length > kept ? { rows: rows.slice(0, kept), more: true } : { rows, more: old.more };
  });
  const cut = useStream(query, start, (fresh) => {
    if (live) add(fresh);
    else setWaiting((old) => [...fresh, ...old].slice(0, ROWS_MAX));
  });
  const overflown = waiting.length === ROWS_MAX;
  const show = () => {
    // More came than were kept: the list begins anew with the newest, and older ones follow on asking.
    if (overflown) setList({ rows: waiting, more: true });
    else add(waiting);
    setWaiting([]);
  };
  useEffect(() => { if (live && waiting.length > 0) show(); }, [live, waiting]);

  const more = () => {
    const last = list.rows[list.rows.length - 1];
    if (!list.more || !last || busy.current) return;
    busy.current = true;
    const asked = query;
    setLoading(true);
    get<EventPage>(`/v1/events?${query ? query + "&" : ""}before=${last.seq}`).then(
      (page) => {
        if (asked !== wanted.current) return;
        setList((old) => (old.rows[old.rows.length - 1] === last ? { rows: [...old.rows, ...page.events], more: page.next !== null } : old));
      },
      (problem: unknown) => { if (asked === wanted.current) setError(asProblem(problem)); },
    ).finally(() => { busy.current = false; setLoading(false); });
  };
  return { ...list, waiting: waiting.length, overflown, cut, show, next: more, error, loading, first, reload: () => setTurn((n) => n + 1) };
}

function Facets({ stats, terms, set }: { stats: Stats; terms: Term[]; set: (terms: Term[]) => void }) {
  const groups: [string, string, Facet][] = [
    ["type", "Type", stats.types], ["actor", "Who", stats.actors], ["severity", "Severity", stats.severities], ["source", "Source", stats.sources],
  ];
  return (
    <>
      {groups.filter(([name, , facet]) => facet.distinct > 1 || terms.some((t) => t.name === name)).map(([name, title, facet]) => (
        <FacetGroup key={name} name={name} title={title} facet={facet} terms={terms} set={set} />
      ))}
      {stats.complete ? null : <p class="muted small">Counted over the newest {number(stats.events)} events.</p>}
    </>
  );
}

const FACET_ROWS = 8;
function FacetGroup({ name, title, facet, terms, set }: { name: string; title: string; facet: Facet; terms: Term[]; set: (terms: Term[]) => void }) {
  const [all, setAll] = useState(false);
  const chosen = terms.find((term) => term.name === name && !term.not);
  const values = facet.values.filter(({ value }) => value !== "");
  const shown = all ? values : values.slice(0, FACET_ROWS);
  const unnamed = facet.values.find(({ value }) => value === "");
  return (
    <section class="facet" aria-label={title}>
      <h3>{title}</h3>
      <ul>
        {shown.map(({ value, count }) => {
          const on = chosen?.value === value;
          return (
            <li key={value}>
              <button type="button" class="value" aria-pressed={on} title={on ? `Any ${title.toLowerCase()} again` : `Only ${value}`}
                onClick={() => set(on ? terms.filter((t) => t !== chosen) : [...terms.filter((t) => t.name !== name || t.not), { name, value, not: false }])}>
                <span class="label">{value}</span><span class="num">{number(count)}</span>
              </button>
              <button type="button" class="not" aria-label={`Without ${value}`} title={`Without ${value}`}
                onClick={() => set([...terms.filter((t) => t.name !== name || t.value !== value), { name, value, not: true }])}>−</button>
            </li>
          );
        })}
        {unnamed ? <li><span class="value plain"><span class="label muted">not known</span><span class="num">{number(unnamed.count)}</span></span></li> : null}
      </ul>
      {values.length > FACET_ROWS ? <button type="button" class="quiet small" onClick={() => setAll(!all)}>{all ? "fewer" : `${values.length - FACET_ROWS} more`}</button> : null}
    </section>
  );
}

export function Histogram({ stats, onBrush }: { stats: Stats; onBrush?: (since: string, until: string) => void }) {
  const { bucket_s, buckets } = stats.histogram;
  const data = useMemo(() => {
    const start = buckets[0] ? Date.parse(buckets[0].time) / 1000 : 0;
    const end = buckets.length ? Date.parse(buckets[buckets.length - 1]!.time) / 1000 : 0;
    const size = Math.min(Math.round((end - start) / bucket_s) + 1, 500);
    const times = Array.from({ length: size }, (_, i) => start + i * bucket_s);
    const series = SEVERITIES.map((label) => ({ label, color: `--sev-${label}`, values: new Array<number>(size).fill(0) }));
    for (const bucket of buckets) {
      const at = Math.round((Date.parse(bucket.time) / 1000 - start) / bucket_s);
      if (at < size) SEVERITIES.forEach((name, i) => { series[i]!.values[at] = bucket[name]; });
    }
    return { times, series: series.filter((one, i) => i === 0 || one.values.some((v) => v > 0)) };
  }, [stats]);
  if (buckets.length === 0) return null;
  const brush = onBrush && ((from: number, to: number) =>
    onBrush(new Date(Math.floor(from / bucket_s) * bucket_s * 1000).toISOString(), new Date(Math.ceil(to / bucket_s) * bucket_s * 1000).toISOString()));
  return (
    <div class="histogram" title={onBrush ? "Drag over the bars to see that time only" : undefined}>
      <Bars {...data} bucket_s={bucket_s} height={88} onBrush={brush}
        label={`Events over time: ${number(stats.events)} in ${buckets.length} intervals with events. Filter by time with since: and until:.`} />
      <Legend stats={stats} />
    </div>
  );
}

/** What the colours of the bars mean. */
function Legend({ stats }: { stats: Stats }) {
  const there = SEVERITIES.filter((name) => stats.severities.values.some((v) => v.value === name));
  if (there.length < 2) return null;
  return <ul class="legend" aria-label="Colours of the bars">{there.map((name) => <li key={name}><i class={`swatch ${name}`} aria-hidden="true" />{name}</li>)}</ul>;
}

/** Queries the reader named, kept in this browser. */
function Views({ query }: { query: string }) {
  const { views } = useChoices();
  const save = (event: globalThis.Event) => {
    event.preventDefault();
    const form = event.target as HTMLFormElement;
    const name = String(new FormData(form).get("name")).trim();
    if (!name) return;
    choose({ views: [...views.filter((view) => view.name !== name), { name, query }].sort((a, b) => a.name.localeCompare(b.name)) });
    form.reset();
  };
  return (
    <Menu label="Views" name="Saved views">
      {views.map((view) => (
        <div class="saved" key={view.name}>
          <a href={`/events${view.query ? "?" + view.query : ""}`}>{view.name}</a>
          <button type="button" class="quiet small" aria-label={`Forget ${view.name}`} onClick={() => choose({ views: views.filter((other) => other !== view) })}>✕</button>
        </div>
      ))}
      {views.length === 0 ? <p class="muted">Name the filters, columns and times you see, to come back to them.</p> : null}
      <form class="save" onSubmit={save}><input name="name" required maxLength={60} placeholder="Name" aria-label="Name of the view" /><button type="submit">Save</button></form>
    </Menu>
  );
}

function Cell({ event, column, day, short }: { event: Event; column: Column; day: boolean; short: boolean }) {
  switch (column) {
    case "time": return <Time iso={event.time} day={day} form={short ? "second" : "clock"} />;
    case "summary": return <>{event.summary ?? event.title ?? event.type}</>;
    case "actor": return <Who actor={event.actor} />;
    case "objects": return <>{event.objects?.map((o, i) => <ObjLink key={i} object={o} />)}</>;
    case "severity": return (event.severity ?? "info") === "info" ? <span class="muted" title="info"><span aria-hidden="true">–</span><span class="sr">info</span></span> : <Sev severity={event.severity} />;
    case "seq": return <span class="num">{event.seq}</span>;
    case "table": return <>{event.source}</>;
    case "rule": return <>{event.rule?.id ?? "discovered"}</>;
    case "transaction": return <span class="mono end">{event.transaction}</span>;
    case "type": return <span class="mono">{event.type}</span>;
  }
}

export function Chips({ terms, set }: { terms: Term[]; set: (terms: Term[]) => void }) {
  return (
    <>
      {terms.map((term, i) => (
        <span class={term.not ? "chip excluded" : "chip"} key={i}>
          {term.name === "q" ? `“${term.value}”` : termText(term)}
          <button type="button" aria-label={`Remove ${termText(term)}`} onClick={() => set(terms.filter((other) => other !== term))}>✕</button>
        </span>
      ))}
    </>
  );
}

const SPANS = [["15m", "15 min"], ["1h", "1 h"], ["24h", "24 h"], ["7d", "7 d"], ["", "all"]] as const;

export function Spans({ place }: { place: Place }) {
  return (
    <div class="spans" role="group" aria-label="Time span">
      {SPANS.map(([value, label]) => (
        <button type="button" key={label} aria-pressed={(place.query.get("since") ?? "") === value && !place.query.get("until")}
          onClick={() => go(withQuery({ since: value || null, until: null, open: null }))}>{label}</button>
      ))}
    </div>
  );
}

export function Events({ place }: { place: Place }) {
  const { utc } = useChoices();
  const terms = useMemo(() => termsOf(place.query), [place.query.toString()]);
  const query = apiQuery(place.query);
  const live = place.query.get("live") === "1";
  const open = place.query.get("open");
  const chosen = (place.query.get("cols")?.split(",").filter((c): c is Column => c in COLUMNS)) ?? DEFAULT;
  // Beside an open event there is room for what tells rows apart, not for what it shows itself.
  const tight = open !== null && matchMedia("(max-width: 1100px)").matches;
  const columns = open ? chosen.filter((c) => !["objects", "type", "transaction", ...(tight ? ["severity"] : [])].includes(c)) : chosen;
  const set = (next: Term[]) => go(withQuery({ ...changesFor(next), open: null }));
  const list = useEvents(query, live, place.back);
  const stats = useGet<Stats>(`/v1/stats?${query}`, live ? 5000 : 0);
  const [text, setText] = useState(termsToText(terms));
  const [problem, setProblem] = useState("");
  const [facetsOpen, setFacetsOpen] = useState(false);
  const [cursor, setCursor] = useState<number | null>(open ? Number(open) : null); // a seq: rows move, it stays
  const at = cursor === null ? -1 : list.rows.findIndex((event) => event.seq === cursor);
  useEffect(() => { setText(termsToText(terms)); setProblem(""); }, [terms]);
  const asked = useRef(query);
  useEffect(() => { if (asked.current !== query) { asked.current = query; setCursor(null); } }, [query]);

  // Only the rows in sight are drawn.
  const scroller = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ top: 0, height: 800 });
  const narrow = matchMedia("(max-width: 720px)").matches;
  const row = narrow ? 56 : ROW;
  const measure = () => setSeen({ top: scroller.current?.scrollTop ?? 0, height: scroller.current?.clientHeight ?? 800 });
  useLayoutEffect(() => {
    const box = scroller.current!;
    if (place.back && left?.query === query) box.scrollTop = left.top;
    measure();
    addEventListener("resize", measure);
    return () => removeEventListener("resize", measure);
  }, []);
  const now = useRef({ query, list: { rows: list.rows, more: list.more } });
  now.current = { query, list: { rows: list.rows, more: list.more } };
  const topNow = useRef(0);
  useEffect(() => () => { left = { ...now.current, top: topNow.current }; }, []);
  // Whoever reads further down keeps the row before the eyes when new ones come above.
  const firstSeq = useRef<number>();
  useLayoutEffect(() => {
    const before = firstSeq.current;
    firstSeq.current = list.rows[0]?.seq;
    const box = scroller.current!;
    if (before === undefined || before === firstSeq.current || box.scrollTop < row) return;
    const moved = list.rows.findIndex((event) => event.seq === before);
    if (moved > 0) { box.scrollTop += moved * row; measure(); }
  }, [list.rows]);
  const from = Math.max(0, Math.floor(seen.top / row) - 10);
  const to = Math.min(list.rows.length, Math.ceil((seen.top + seen.height) / row) + 10);
  const topmost = Math.floor(seen.top / row);
  const onScroll = () => {
    const box = scroller.current!;
    topNow.current = box.scrollTop;
    measure();
    if (box.scrollHeight - box.scrollTop - box.clientHeight < 40 * row) list.next();
  };
  const openUrl = (event: Event) => withQuery({ open: String(event.seq) });
  // The day stands where it changes, and on the row that is topmost.
  const newDay = (i: number) => i === topmost || i === 0 || dayOf(list.rows[i]!.time) !== dayOf(list.rows[i - 1]!.time);

  useEffect(() => {
    const move = (by: number) => {
      const to = Math.max(0, Math.min(list.rows.length - 1, at + by));
      const event = list.rows[to];
      if (!event) return;
      setCursor(event.seq);
      const box = scroller.current!;
      if (to * row < box.scrollTop) box.scrollTop = to * row;
      if ((to + 2) * row > box.scrollTop + box.clientHeight) box.scrollTop = (to + 2) * row - box.clientHeight;
      requestAnimationFrame(() => box.querySelector<HTMLElement>("[aria-current]")?.focus({ preventScroll: true }));
      if (open) go(withQuery({ open: String(event.seq) }), true);
      if (to > list.rows.length - 20) list.next();
    };
    const onKey = (key: KeyboardEvent) => {
      if (typing(key) || document.querySelector("dialog[open]")) return;
      const event = list.rows[at];
      if (key.key === "j") move(1);
      else if (key.key === "k") move(-1);
      else if (key.key === "Enter" && event && !(key.target as Element).closest("a, button, summary")) go(open === String(event.seq) ? `/events/${event.seq}` : openUrl(event));
      else if (key.key === "Escape" && open) go(withQuery({ open: null }));
      else if (key.key === "l") go(withQuery({ live: live ? null : "1" }), true);
      else if (key.key.toLowerCase() === "x" && event) {
        const rest = terms.filter((t) => t.name !== "type" || (key.shiftKey && t.not));
        set([...rest, { name: "type", value: event.type, not: key.shiftKey }]);
      } else return;
      key.preventDefault();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  });

  const submit = (event: globalThis.Event) => {
    event.preventDefault();
    const read = textToTerms(text);
    setProblem(read.problem ?? "");
    if (!read.problem) set(read.terms);
  };
  // What is exported ends where the list begins: later events are not in it.
  const newest = list.rows[0] ? `before=${list.rows[0].seq + 1}&` : "";
  const exportUrl = (format: string) => `/v1/events?${query ? query + "&" : ""}${newest}limit=0&order=desc&format=${format}`;
  const buckets = stats.data?.histogram.buckets ?? [];
  const days = buckets.length ? [dayOf(buckets[0]!.time), dayOf(buckets[buckets.length - 1]!.time)] : [];
  const sentence = stats.data ? (
    <>
      <strong class="num">{stats.data.complete ? "" : "the newest "}{number(stats.data.events)}</strong> {stats.data.events === 1 ? "event" : "events"} of{" "}
      <span class="num">{number(stats.data.types.distinct)}</span> {stats.data.types.distinct === 1 ? "type" : "types"} by{" "}
      <span class="num">{named(stats.data.actors)}</span> people
      {days.length ? <span class="muted num"> · {days[0] === days[1] ? days[0] : `${days[0]} – ${days[1]}`} {utc ? "UTC" : "local"}</span> : null}
    </>
  ) : " ";
  const width = (c: Column) => (open && c === "time" ? "140px" : open && c === "summary" ? "minmax(120px, 1fr)" : tight && c === "actor" ? "84px" : COLUMNS[c].width);
  const grid = { gridTemplateColumns: columns.map(width).join(" ") };
  return (
    <div class={open ? "explorer with-panel" : "explorer"}>
      <aside class={facetsOpen ? "facets open" : "facets"} aria-label="Filters">
        {stats.data ? <Facets stats={stats.data} terms={terms} set={set} /> : stats.error ? <Failed problem={stats.error} retry={stats.reload} /> : <Skeleton rows={12} />}
        {facetsOpen ? <button type="button" class="primary sheet-close" onClick={() => setFacetsOpen(false)}>Show the events</button> : null}
      </aside>
      <section class="list-side" aria-label="Events">
        <div class="tools">
          <h1 class="sentence">{sentence}</h1>
          <span class="spring" />
          <button type="button" class="only-narrow" onClick={() => setFacetsOpen(true)}>Filters</button>
          {list.cut ? <span class="muted" role="status">live tail stopped, trying again</span> : null}
          {list.waiting > 0 && !live ? <button type="button" class="primary num" onClick={() => { list.show(); scroller.current?.scrollTo(0, 0); }}>{list.overflown ? "more than " : ""}{number(list.waiting)} new</button> : null}
          <button type="button" aria-pressed={live} onClick={() => go(withQuery({ live: live ? null : "1" }), true)}>{live ? "❙❙ Pause" : "▶ Live"}</button>
          <Views query={location.search.slice(1).replace(/&?open=\d+/, "").replace(/^&/, "")} />
          <Menu label="Columns" name="Choose columns" kind="columns-menu">
            {(Object.keys(COLUMNS) as Column[]).map((name) => (
              <label key={name}>
                <input type="checkbox" checked={chosen.includes(name)} onChange={(change) => {
                  const wanted = (Object.keys(COLUMNS) as Column[]).filter((c) => (c === name ? change.currentTarget.checked : chosen.includes(c)));
                  go(withQuery({ cols: wanted.join(",") === DEFAULT.join(",") || wanted.length === 0 ? null : wanted.join(",") }), true);
                }} /> {COLUMNS[name].title}
              </label>
            ))}
          </Menu>
          <Menu label="Export" name="Export these events">
            <a href={exportUrl("csv")} download="events.csv">CSV</a>
            <a href={exportUrl("ndjson")} download="events.ndjson">JSON lines</a>
          </Menu>
        </div>
        <form class="query" onSubmit={submit}>
          <input aria-label="Query" aria-describedby={problem ? "query-problem" : undefined} aria-invalid={problem ? true : undefined} spellcheck={false} autocomplete="off" value={text}
            placeholder="Filter, for example  type:sale.completed -actor:etl since:24h Amoxicillin"
            onInput={(event) => { setText(event.currentTarget.value); setProblem(""); }} onKeyDown={(event) => { if (event.key === "Escape") event.currentTarget.blur(); }} />
          <Spans place={place} />
        </form>
        {problem ? <p id="query-problem" class="query-problem bad-text" role="alert">{problem}</p> : null}
        {terms.length ? <div class="chips"><Chips terms={terms} set={set} /></div> : null}
        {stats.data ? <Histogram stats={stats.data} onBrush={(since, until) => go(withQuery({ since, until, open: null }))} /> : <div class="histogram" style={{ minHeight: "88px" }} />}
        <Loading on={list.loading} />
        {list.error ? <Failed problem={list.error} retry={list.reload} /> : null}
        <div class="table" role="table" aria-label="Events" aria-rowcount={list.more ? -1 : list.rows.length + 1} ref={scroller} onScroll={onScroll} tabIndex={0}>
          <div class="thead" role="rowgroup"><div class="tr" role="row" style={grid}>{columns.map((c) => <span role="columnheader" key={c} class={`c-${c}`}>{COLUMNS[c].title}</span>)}</div></div>
          <div class="tbody" role="rowgroup">
            <div role="presentation" style={{ height: `${from * row}px` }} />
            {list.rows.slice(from, to).map((event, i) => (
              <div role="row" key={event.seq} aria-rowindex={from + i + 2} style={grid} tabIndex={-1} aria-current={event.seq === cursor ? "true" : undefined}
                class={`tr${event.seq === cursor ? " current" : ""}${open === String(event.seq) ? " open" : ""}`}
                onClick={(click) => { if (!(click.target as Element).closest("a.object")) { setCursor(event.seq); go(openUrl(event)); } }}>
                {columns.map((column) => (
                  <span role="cell" key={column} class={`c-${column}`}>
                    {column === "summary" ? <a href={openUrl(event)}><Cell event={event} column={column} day={false} short={false} /></a> : <Cell event={event} column={column} day={newDay(from + i)} short={open !== null} />}
                  </span>
                ))}
              </div>
            ))}
            <div role="presentation" style={{ height: `${(list.rows.length - to) * row}px` }} />
            {list.first ? <Skeleton rows={14} /> : null}
            {!list.first && list.rows.length === 0 && !list.error ? (
              <Empty>
                {terms.length > 0
                  ? <>No event fits these filters. <button type="button" onClick={() => set([])}>Remove all filters</button></>
                  : <>Nothing is recorded yet. Events appear here as soon as the source commits something; history is read with <code>rowtrail run --start earliest</code>.</>}
              </Empty>
            ) : null}
          </div>
        </div>
      </section>
      {open ? (
        <aside class="panel" aria-label="Event">
          <div class="panel-bar">
            <a href={`/events/${open}`}>Full page</a>
            <span class="spring" />
            <button type="button" class="quiet" aria-label="Close (Esc)" onClick={() => go(withQuery({ open: null }))}>✕</button>
          </div>
          <EventDetail seq={open} />
        </aside>
      ) : null}
    </div>
  );
}

