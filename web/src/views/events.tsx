// Events: facets, histogram, chips and query text over one list, live when wanted.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { asProblem, get, useGet, type Event, type EventPage, type Facet, type Problem, type Stats } from "../api";
import { Bars } from "../chart";
import { dayOf, number, useChoices } from "../format";
import { parseJson } from "../json";
import { typing } from "../main";
import { apiQuery, changesFor, termsOf, termsToText, termText, textToTerms, type Term } from "../query";
import { go, withQuery, type Place } from "../router";
import { Empty, Failed, Loading, Menu, ObjLink, Sev, Skeleton, Time, Who } from "../ui";
import { EventDetail } from "./event";

const ROW = 32;
const LIVE_ROWS_MAX = 10_000;
const COLUMNS = {
  time: { title: "Time", width: "124px" }, summary: { title: "What", width: "minmax(220px, 1fr)" },
  actor: { title: "Who", width: "120px" }, objects: { title: "Objects", width: "minmax(120px, 0.5fr)" },
  type: { title: "Type", width: "170px" }, table: { title: "Source", width: "100px" },
  transaction: { title: "Transaction", width: "150px" }, rule: { title: "Rule", width: "140px" },
  seq: { title: "Seq", width: "76px" }, severity: { title: "Severity", width: "84px" },
};
type Column = keyof typeof COLUMNS;
const DEFAULT: Column[] = ["time", "summary", "actor", "objects", "severity"];
const SEVERITIES = ["info", "low", "medium", "high", "critical"] as const;

/** The list: pages as the reader scrolls, and what comes in meanwhile. */
function useEvents(query: string, live: boolean) {
  const [rows, setRows] = useState<Event[]>([]);
  const [waiting, setWaiting] = useState<Event[]>([]);
  const [next, setNext] = useState<string | null>(null);
  const [error, setError] = useState<Problem>();
  const [loading, setLoading] = useState(true);
  const [first, setFirst] = useState(true);
  const [turn, setTurn] = useState(0);
  const [start, setStart] = useState<number | null>(null); // the stream goes on behind this seq
  const busy = useRef(false);
  const wanted = useRef(query);

  useEffect(() => {
    wanted.current = query;
    const abort = new AbortController();
    setLoading(true); setError(undefined); setStart(null);
    get<EventPage>(`/v1/events?${query}`, abort.signal).then((page) => {
      setRows(page.events); setNext(page.next); setWaiting([]); setLoading(false); setFirst(false);
      setStart(page.events[0]?.seq ?? 0);
    }, (problem: unknown) => {
      if (abort.signal.aborted) return;
      setError(asProblem(problem)); setLoading(false); setFirst(false);
    });
    return () => abort.abort();
  }, [query, turn]);

  // Events are gathered and shown four times a second: a burst costs one drawing, not hundreds.
  useEffect(() => {
    if (start === null || new URLSearchParams(query).has("until")) return;
    const stream = new EventSource(`/v1/stream?${query ? query + "&" : ""}after=${start}`);
    let gathered: Event[] = [];
    stream.onmessage = (message: MessageEvent<string>) => {
      if (message.data) gathered.push(parseJson(message.data) as unknown as Event);
    };
    const timer = setInterval(() => {
      if (gathered.length === 0) return;
      const fresh = gathered.reverse();
      gathered = [];
      setWaiting((old) => [...fresh, ...old].slice(0, LIVE_ROWS_MAX));
    }, 250);
    return () => { stream.close(); clearInterval(timer); };
  }, [start, query]);

  const show = () => {
    setRows((old) => [...waiting, ...old].slice(0, Math.max(old.length, LIVE_ROWS_MAX)));
    setWaiting([]);
  };
  useEffect(() => { if (live && waiting.length > 0) show(); }, [live, waiting]);

  const more = () => {
    if (!next || busy.current) return;
    busy.current = true;
    const asked = query;
    setLoading(true);
    get<EventPage>(`/v1/events?${query ? query + "&" : ""}cursor=${encodeURIComponent(next)}`).then(
      (page) => { if (asked === wanted.current) { setRows((old) => [...old, ...page.events]); setNext(page.next); } },
      (problem: unknown) => setError(asProblem(problem)),
    ).finally(() => { busy.current = false; setLoading(false); });
  };
  return { rows, waiting: waiting.length, show, more, next, error, loading, first, reload: () => setTurn((n) => n + 1) };
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

function Histogram({ stats }: { stats: Stats }) {
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
  const brush = (from: number, to: number) => go(withQuery({
    since: new Date(Math.floor(from / bucket_s) * bucket_s * 1000).toISOString(),
    until: new Date(Math.ceil(to / bucket_s) * bucket_s * 1000).toISOString(), open: null,
  }));
  return (
    <div class="histogram">
      <Bars {...data} bucket_s={bucket_s} height={104} onBrush={brush}
        label={`Events over time: ${number(stats.events)} in ${buckets.length} intervals with events. Filter by time with since: and until:.`} />
      <ul class="legend">{data.series.map(({ label }) => <li key={label}><i class={`swatch ${label}`} aria-hidden="true" />{label}</li>)}</ul>
    </div>
  );
}

function Cell({ event, column }: { event: Event; column: Column }) {
  switch (column) {
    case "time": return <Time iso={event.time} />;
    case "summary": return <>{event.summary ?? event.title ?? event.type}</>;
    case "actor": return <Who actor={event.actor} />;
    case "objects": return <>{event.objects?.map((o, i) => <ObjLink key={i} object={o} />)}</>;
    case "severity": return (event.severity ?? "info") === "info" ? <span class="muted" title="info">–<span class="sr">info</span></span> : <Sev severity={event.severity} />;
    case "seq": return <span class="num">{event.seq}</span>;
    case "table": return <>{event.source}</>;
    case "rule": return <>{event.rule?.id ?? "discovered"}</>;
    case "transaction": return <span class="mono end">{event.transaction}</span>;
    case "type": return <span class="mono">{event.type}</span>;
  }
}

function Chips({ terms, set }: { terms: Term[]; set: (terms: Term[]) => void }) {
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

export function Events({ place }: { place: Place }) {
  const { utc } = useChoices();
  const terms = useMemo(() => termsOf(place.query), [place.query.toString()]);
  const query = apiQuery(place.query);
  const live = place.query.get("live") === "1";
  const open = place.query.get("open");
  const chosen = (place.query.get("cols")?.split(",").filter((c): c is Column => c in COLUMNS)) ?? DEFAULT;
  // Beside an open event there is room for what tells rows apart, not for what it shows itself.
  const columns = open ? chosen.filter((c) => c !== "objects" && c !== "type" && c !== "transaction") : chosen;
  const set = (next: Term[]) => go(withQuery({ ...changesFor(next), open: null }));
  const list = useEvents(query, live);
  const stats = useGet<Stats>(`/v1/stats?${query}`, live ? 5000 : 0);
  const [text, setText] = useState(termsToText(terms));
  const [facetsOpen, setFacetsOpen] = useState(false);
  const [cursor, setCursor] = useState(-1);
  useEffect(() => setText(termsToText(terms)), [terms]);
  useEffect(() => setCursor(-1), [query]);

  // Only the rows in sight are drawn.
  const scroller = useRef<HTMLDivElement>(null);
  const [seen, setSeen] = useState({ top: 0, height: 800 });
  useLayoutEffect(() => {
    const measure = () => setSeen({ top: scroller.current?.scrollTop ?? 0, height: scroller.current?.clientHeight ?? 800 });
    measure();
    addEventListener("resize", measure);
    return () => removeEventListener("resize", measure);
  }, []);
  const narrow = matchMedia("(max-width: 720px)").matches;
  const row = narrow ? 56 : ROW;
  const from = Math.max(0, Math.floor(seen.top / row) - 10);
  const to = Math.min(list.rows.length, Math.ceil((seen.top + seen.height) / row) + 10);
  const onScroll = () => {
    const box = scroller.current!;
    setSeen({ top: box.scrollTop, height: box.clientHeight });
    if (box.scrollHeight - box.scrollTop - box.clientHeight < 40 * row) list.more();
  };
  const openUrl = (event: Event) => withQuery({ open: String(event.seq) });

  useEffect(() => {
    const move = (by: number) => {
      const at = Math.max(0, Math.min(list.rows.length - 1, cursor + by));
      setCursor(at);
      const box = scroller.current!;
      if (at * row < box.scrollTop) box.scrollTop = at * row;
      if ((at + 2) * row > box.scrollTop + box.clientHeight) box.scrollTop = (at + 2) * row - box.clientHeight;
      if (open && list.rows[at]) go(withQuery({ open: String(list.rows[at]!.seq) }), true);
      if (at > list.rows.length - 20) list.more();
    };
    const onKey = (key: KeyboardEvent) => {
      if (typing(key) || document.querySelector("dialog[open]")) return;
      const event = list.rows[cursor];
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

  const exportUrl = (format: string) => `/v1/events?${query ? query + "&" : ""}limit=0&format=${format}`;
  const sentence = stats.data ? (
    <>
      <strong class="num">{stats.data.complete ? "" : "more than "}{number(stats.data.events)}</strong> {stats.data.events === 1 ? "event" : "events"} of{" "}
      <span class="num">{number(stats.data.types.distinct)}</span> {stats.data.types.distinct === 1 ? "type" : "types"} by{" "}
      <span class="num">{number(stats.data.actors.values.filter((v) => v.value).length)}{stats.data.actors.distinct > 50 ? "+" : ""}</span> people
    </>
  ) : " ";
  const days = list.rows.length > 0 ? [dayOf(list.rows[0]!.time), dayOf(list.rows[Math.min(to, list.rows.length) - 1]?.time ?? list.rows[0]!.time)] : [];
  const grid = { gridTemplateColumns: columns.map((c) => COLUMNS[c].width).join(" ") };
  return (
    <div class={open ? "explorer with-panel" : "explorer"}>
      <aside class={facetsOpen ? "facets open" : "facets"} aria-label="Filters">
        {stats.data ? <Facets stats={stats.data} terms={terms} set={set} /> : stats.error ? null : <Skeleton rows={12} />}
        {facetsOpen ? <button type="button" class="primary sheet-close" onClick={() => setFacetsOpen(false)}>Show the events</button> : null}
      </aside>
      <section class="list-side" aria-label="Events">
        <h1 class="sentence">{sentence}{days.length ? <span class="muted num"> · {days[1] === days[0] ? days[0] : `${days[1]} – ${days[0]}`} {utc ? "UTC" : "local"}</span> : null}</h1>
        <form class="query" onSubmit={(event) => { event.preventDefault(); set(textToTerms(text)); }}>
          <input aria-label="Query" spellcheck={false} autocomplete="off" value={text} placeholder="type:sale.completed -actor:etl since:24h words of the summary"
            onInput={(event) => setText(event.currentTarget.value)} onKeyDown={(event) => { if (event.key === "Escape") event.currentTarget.blur(); }} />
          <div class="spans" role="group" aria-label="Time span">
            {SPANS.map(([value, label]) => (
              <button type="button" key={label} aria-pressed={(place.query.get("since") ?? "") === value && !place.query.get("until")}
                onClick={() => go(withQuery({ since: value || null, until: null, open: null }))}>{label}</button>
            ))}
          </div>
        </form>
        {stats.data ? <Histogram stats={stats.data} /> : <div class="histogram" style={{ minHeight: "124px" }} />}
        <div class="tools">
          <button type="button" class="only-narrow" onClick={() => setFacetsOpen(true)}>Filters</button>
          <Chips terms={terms} set={set} />
          <span class="spring" />
          {list.waiting > 0 && !live ? <button type="button" class="primary num" onClick={() => { list.show(); scroller.current?.scrollTo(0, 0); }}>{number(list.waiting)} new</button> : null}
          <button type="button" aria-pressed={live} onClick={() => go(withQuery({ live: live ? null : "1" }), true)}>{live ? "❙❙ Pause" : "▶ Live"}</button>
          <Menu label="Columns" name="Choose columns">
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
        <Loading on={list.loading} />
        {list.error ? <Failed problem={list.error} retry={list.reload} /> : null}
        <div class="table" role="table" aria-label="Events" aria-rowcount={list.next ? -1 : list.rows.length + 1} ref={scroller} onScroll={onScroll} tabIndex={0}>
          <div class="thead" role="rowgroup"><div class="tr" role="row" style={grid}>{columns.map((c) => <span role="columnheader" key={c} class={`c-${c}`}>{COLUMNS[c].title}</span>)}</div></div>
          <div class="tbody" role="rowgroup">
            <div role="presentation" style={{ height: `${from * row}px` }} />
            {list.rows.slice(from, to).map((event, i) => {
              const at = from + i;
              return (
                <div role="row" key={event.seq} aria-rowindex={at + 2} style={grid}
                  class={`tr${at === cursor ? " current" : ""}${open === String(event.seq) ? " open" : ""}`}
                  onClick={(click) => { if (!(click.target as Element).closest("a.object")) { setCursor(at); go(openUrl(event)); } }}>
                  {columns.map((column) => (
                    <span role="cell" key={column} class={`c-${column}`}>
                      {column === "summary" ? <a href={openUrl(event)}><Cell event={event} column={column} /></a> : <Cell event={event} column={column} />}
                    </span>
                  ))}
                </div>
              );
            })}
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

