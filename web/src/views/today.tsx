// One day in a glance: prose with numbers first, then the types and people against the day before.
import { useMemo } from "preact/hooks";
import { useGet, type EventPage, type Facet, type Stats } from "../api";
import { Bars } from "../chart";
import { dayInWords, midnight, number, today, useChoices } from "../format";
import { type Place } from "../router";
import { Empty, EventLine, Failed, Loading, Skeleton } from "../ui";

const shift = (day: string, by: number) => new Date(Date.parse(day + "T00:00:00Z") + by * 86_400_000).toISOString().slice(0, 10);

function useDay(day: string): [ReturnType<typeof useGet<Stats>>, string, string] {
  const since = midnight(day), until = midnight(shift(day, 1));
  const query = `since=${encodeURIComponent(since)}&until=${encodeURIComponent(until)}`;
  return [useGet<Stats>(`/v1/stats?${query}`), query, since];
}

function against(now: number, before: number): string {
  if (before === 0) return now === 0 ? "" : "new";
  const percent = Math.round(((now - before) / before) * 100);
  return percent === 0 ? "as before" : `${percent > 0 ? "+" : "−"}${Math.abs(percent)} %`;
}

function Compare({ title, name, now, before, query }: { title: string; name: string; now: Facet; before?: Facet; query: string }) {
  const was = new Map(before?.values.map((v) => [v.value, v.count]));
  const gone = before?.values.filter((v) => !now.values.some((n) => n.value === v.value)) ?? [];
  const rows = [...now.values, ...gone.map((v) => ({ value: v.value, count: 0 }))];
  const most = Math.max(1, ...rows.map((r) => r.count));
  return (
    <section>
      <h2>{title}</h2>
      <table class="plain compare">
        <thead><tr><th scope="col">{name === "actor" ? "Who" : "Type"}</th><th scope="col" class="right">Events</th><th scope="col"><span class="sr">Share</span></th><th scope="col" class="right">Day before</th><th scope="col" class="right">Change</th></tr></thead>
        <tbody>
          {rows.slice(0, 20).map(({ value, count }) => (
            <tr key={value}>
              <th scope="row">{value ? <a href={`/events?${name}=${encodeURIComponent(value)}&${query}`}>{value}</a> : <span class="muted">not known</span>}</th>
              <td class="right num">{number(count)}</td>
              <td class="share"><svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect width={(count / most) * 100} height="8" /></svg></td>
              <td class="right num muted">{before ? number(was.get(value) ?? 0) : ""}</td>
              <td class="right num muted">{before ? against(count, was.get(value) ?? 0) : ""}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function Hours({ stats, start }: { stats: Stats; start: number }) {
  const data = useMemo(() => {
    const times = Array.from({ length: 24 }, (_, i) => start + i * 3600);
    const quiet = new Array<number>(24).fill(0), loud = new Array<number>(24).fill(0);
    for (const b of stats.histogram.buckets) {
      const hour = Math.floor((Date.parse(b.time) / 1000 - start) / 3600);
      if (hour < 0 || hour > 23) continue;
      quiet[hour]! += b.info + b.low;
      loud[hour]! += b.medium + b.high + b.critical;
    }
    return { times, series: [{ label: "info, low", color: "--sev-info", values: quiet }, { label: "medium and above", color: "--sev-high", values: loud }] };
  }, [stats, start]);
  return <Bars {...data} bucket_s={3600} height={140} range={[start, start + 86_400]} label="Events of each hour of the day" />;
}

export function Today({ place }: { place: Place }) {
  useChoices();
  const day = /^\d{4}-\d\d-\d\d$/.test(place.query.get("date") ?? "") ? place.query.get("date")! : today();
  const [now, query, since] = useDay(day);
  const [before] = useDay(shift(day, -1));
  const notable = useGet<EventPage>(`/v1/events?${query}&severity=high&limit=5`);
  const stats = now.data;
  const was = before.data;
  const top = stats?.types.values.slice(0, 3) ?? [];
  return (
    <div class="page">
      <Loading on={now.loading || before.loading} />
      <div class="day-bar">
        <h1 class="title">{dayInWords(day)}</h1>
        <span class="spring" />
        <a class="button" href={`/today?date=${shift(day, -1)}`}>Day before</a>
        {day < today() ? <a class="button" href={`/today?date=${shift(day, 1)}`}>Day after</a> : null}
      </div>
      {now.error ? <Failed problem={now.error} retry={now.reload} /> : null}
      {!stats && !now.error ? <Skeleton rows={10} /> : null}
      {stats && stats.events === 0 ? <Empty>Nothing was recorded on this day. <a href={`/today?date=${shift(day, -1)}`}>Look at the day before</a> or at <a href="/events">all events</a>.</Empty> : null}
      {stats && stats.events > 0 ? (
        <>
          <p class="lead">
            <strong class="big num">{stats.complete ? "" : "> "}{number(stats.events)}</strong> events
            {was ? <span class="muted"> ({was.events === 0 ? "none the day before" : `${against(stats.events, was.events)} against the day before, ${number(was.events)}`})</span> : null}{" "}
            by <span class="num">{stats.actors.values.filter((v) => v.value).length}</span> people.{" "}
            {top.map((v, i) => <span key={v.value}>{i ? ", " : "Mostly "}<span class="num">{number(v.count)}</span> <a href={`/events?type=${encodeURIComponent(v.value)}&${query}`}>{v.value}</a></span>)}.
          </p>
          {stats.complete ? null : <p class="muted">The day has more events than are counted here: these are its newest {number(stats.events)}.</p>}
          <Hours stats={stats} start={Date.parse(since) / 1000} />
          {notable.data?.events.length ? <section><h2>High severity</h2>{notable.data.events.map((event) => <EventLine key={event.seq} event={event} />)}</section> : null}
          <div class="columns">
            <Compare title="What happened" name="type" now={stats.types} before={was?.types} query={query} />
            <Compare title="Who" name="actor" now={stats.actors} before={was?.actors} query={query} />
          </div>
        </>
      ) : null}
    </div>
  );
}
