// One day in a glance: prose with numbers first, then the types and people against the day before.
import { useMemo, useState } from "preact/hooks";
import { named, useGet, type EventPage, type Facet, type Stats } from "../api";
import { Bars } from "../chart";
import { clock, dayInWords, isDay, midnight, number, shiftDay, today, useChoices } from "../format";
import { type Place } from "../router";
import { Empty, EventLine, Failed, Loading, Skeleton } from "../ui";

const spanQuery = (since_ms: number, until_ms: number) =>
  `since=${encodeURIComponent(new Date(since_ms).toISOString())}&until=${encodeURIComponent(new Date(until_ms).toISOString())}`;

/** "+12 %"; nothing where it would not be true of the whole. */
function against(now: number, before: number): string {
  if (before === 0) return now === 0 ? "" : "new";
  const percent = Math.round(((now - before) / before) * 100);
  return percent === 0 ? "as before" : `${percent > 0 ? "+" : "−"}${Math.abs(percent)} %`;
}

const ROWS_MAX = 12;
interface CompareProps { title: string; name: string; now: Facet; before?: Facet; until?: string; query: string; complete: boolean }
function Compare({ title, name, now, before, until, query, complete }: CompareProps) {
  const [all, setAll] = useState(false);
  const was = new Map(before?.values.map((v) => [v.value, v.count]));
  // A value beyond those in the answer is not 0: it is not known.
  const cutNow = now.distinct > now.values.length, cutBefore = !!before && before.distinct > before.values.length;
  const gone = cutNow ? [] : before?.values.filter((v) => !now.values.some((n) => n.value === v.value)) ?? [];
  const rows = [...now.values, ...gone.map((v) => ({ value: v.value, count: 0 }))];
  const shown = all ? rows : rows.slice(0, ROWS_MAX);
  const most = Math.max(1, ...rows.map((r) => r.count));
  const compared = before && before.values.length > 0;
  return (
    <section>
      <h2>{title}</h2>
      <table class="plain compare">
        <thead><tr>
          <th scope="col">{name === "actor" ? "Who" : "Type"}</th><th scope="col" class="right">Events</th><th scope="col"><span class="sr">Share</span></th>
          {compared ? <><th scope="col" class="right">{until ? `Day before, to ${until}` : "Day before"}</th><th scope="col" class="right">Change</th></> : null}
        </tr></thead>
        <tbody>
          {shown.map(({ value, count }) => {
            const then = was.get(value) ?? (cutBefore ? undefined : 0);
            return (
              <tr key={value}>
                <th scope="row">{value ? <a href={`/events?${name}=${encodeURIComponent(value)}&${query}`}>{value}</a> : <span class="muted">not known</span>}</th>
                <td class="right num">{number(count)}</td>
                <td class="share"><svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect width={(count / most) * 100} height="8" /></svg></td>
                {compared ? <><td class="right num muted">{then === undefined ? "?" : number(then)}</td><td class="right num muted">{complete && then !== undefined ? against(count, then) : ""}</td></> : null}
              </tr>
            );
          })}
        </tbody>
      </table>
      {rows.length > ROWS_MAX ? <button type="button" class="quiet small" onClick={() => setAll(!all)}>{all ? "fewer" : `${number(rows.length - ROWS_MAX)} more`}</button> : null}
      {cutNow ? <p class="muted">These are the {now.values.length} most frequent of {number(now.distinct)}.</p> : null}
    </section>
  );
}

function Hours({ stats, start, end }: { stats: Stats; start: number; end: number }) {
  const data = useMemo(() => {
    const hours = Math.round((end - start) / 3600); // 23 or 25 where clocks are put forward or back
    const times = Array.from({ length: hours }, (_, i) => start + i * 3600);
    const quiet = new Array<number>(hours).fill(0), loud = new Array<number>(hours).fill(0);
    for (const b of stats.histogram.buckets) {
      const hour = Math.floor((Date.parse(b.time) / 1000 - start) / 3600);
      if (hour < 0 || hour >= hours) continue;
      quiet[hour]! += b.info + b.low;
      loud[hour]! += b.medium + b.high + b.critical;
    }
    return { times, series: [{ label: "info, low", color: "--sev-info", values: quiet }, { label: "medium and above", color: "--sev-high", values: loud }] };
  }, [stats, start, end]);
  return (
    <>
      <Bars {...data} bucket_s={3600} height={140} range={[start, end]} label="Events of each hour of the day" />
      <ul class="legend"><li><i class="swatch info" aria-hidden="true" />info, low</li><li><i class="swatch high" aria-hidden="true" />medium and above</li></ul>
    </>
  );
}

export function Today({ place }: { place: Place }) {
  useChoices();
  const asked = place.query.get("date");
  if (asked !== null && !isDay(asked)) {
    return <div class="page"><div class="notice" role="alert"><strong>{asked} is no day</strong><p>A day is written as 2026-11-24.</p><a href="/today">Show today</a></div></div>;
  }
  return <Day day={asked ?? today()} />;
}

const LOUD = "not=severity:info,severity:low,severity:medium";
function Day({ day }: { day: string }) {
  const start = midnight(day), end = midnight(shiftDay(day, 1)), startBefore = midnight(shiftDay(day, -1));
  // An unfinished day is compared with the day before up to the same hour.
  const elapsed = useMemo(() => Math.min(Date.now(), end) - start, [day, end]);
  const unfinished = start + elapsed < end && elapsed > 0;
  const query = spanQuery(start, end);
  const now = useGet<Stats>(`/v1/stats?${query}`);
  const before = useGet<Stats>(`/v1/stats?${spanQuery(startBefore, unfinished ? startBefore + elapsed : start)}`);
  const notable = useGet<EventPage>(`/v1/events?${query}&${LOUD}&limit=5`);
  const stats = now.data;
  const was = before.data;
  const top = stats?.types.values.slice(0, 3) ?? [];
  const complete = !!stats?.complete && !!was?.complete;
  const until = unfinished ? clock(new Date(start + elapsed).toISOString(), 0).slice(0, 5) : undefined;
  const loud = stats?.severities.values.filter((v) => v.value === "high" || v.value === "critical").reduce((sum, v) => sum + v.count, 0) ?? 0;
  return (
    <div class="page">
      <Loading on={now.loading || before.loading} />
      <div class="day-bar">
        <h1 class="title">{dayInWords(day)}</h1>
        <span class="spring" />
        <a class="button" href={`/today?date=${shiftDay(day, -1)}`}>Day before</a>
        {day < today() ? <a class="button" href={`/today?date=${shiftDay(day, 1)}`}>Day after</a> : null}
      </div>
      {now.error ? <Failed problem={now.error} retry={now.reload} /> : null}
      {before.error ? <Failed problem={before.error} retry={before.reload} /> : null}
      {!stats && !now.error ? <Skeleton rows={10} /> : null}
      {stats && stats.events === 0 ? <Empty>Nothing was recorded on this day. <a href={`/today?date=${shiftDay(day, -1)}`}>Look at the day before</a> or at <a href="/events">all events</a>.</Empty> : null}
      {stats && stats.events > 0 ? (
        <>
          <p class="lead">
            <strong class="big num">{stats.complete ? "" : "> "}{number(stats.events)}</strong> events
            {was ? <span class="muted"> ({
              was.events === 0 ? "none the day before"
                : complete ? `${against(stats.events, was.events)} against the day before, ${number(was.events)}${until ? ` to ${until}` : ""}`
                : `the day before had ${was.complete ? "" : "more than "}${number(was.events)}${until ? ` to ${until}` : ""}`
            })</span> : null}{" "}
            by <span class="num">{named(stats.actors)}</span> people.{" "}
            {top.map((v, i) => <span key={v.value}>{i ? ", " : "Mostly "}<span class="num">{number(v.count)}</span>{"\u00a0"}<a href={`/events?type=${encodeURIComponent(v.value)}&${query}`}>{v.value}</a></span>)}.
          </p>
          {stats.complete ? null : <p class="muted">The day has more events than are counted here: these are its newest {number(stats.events)}.</p>}
          <Hours stats={stats} start={start / 1000} end={end / 1000} />
          {notable.error ? <Failed problem={notable.error} retry={notable.reload} /> : null}
          {notable.data?.events.length ? (
            <section>
              <h2>High and critical</h2>
              {notable.data.events.map((event) => <EventLine key={event.seq} event={event} />)}
              {loud > notable.data.events.length || notable.data.next ? <p><a href={`/events?${query}&${LOUD}`}>{stats.complete ? `All ${number(loud)}` : "All of them"}</a></p> : null}
            </section>
          ) : null}
          <div class="columns">
            <Compare title="What happened" name="type" now={stats.types} before={was?.types} until={until} query={query} complete={complete} />
            <Compare title="Who" name="actor" now={stats.actors} before={was?.actors} until={until} query={query} complete={complete} />
          </div>
        </>
      ) : null}
    </div>
  );
}
