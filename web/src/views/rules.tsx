// The rules that name events: their text as recorded, every version, and how often they matched; what no
// rule fits stands beside them, to be named.
import { useMemo } from "preact/hooks";
import { useGet, type Stats } from "../api";
import { Histogram } from "./events";
import { number } from "../format";
import { type Place } from "../router";
import { Empty, Failed, Loading, Skeleton, Time } from "../ui";

interface RuleVersion { seq: number; recorded_at: string; id: string; version: string; title: string; event: string; text: string }
interface TypeCount { type: string; events: number; first_seq: number; last_seq: number }
interface RulesAnswer { rules: RuleVersion[]; types: TypeCount[] }

const sum = (types: TypeCount[]) => types.reduce((total, type) => total + type.events, 0);

export function Rules({ place }: { place: Place }) {
  const { data, error, loading, reload } = useGet<RulesAnswer>("/v1/rules");
  const known = useMemo(() => {
    const versions = new Map<string, RuleVersion[]>();
    for (const rule of data?.rules ?? []) versions.set(rule.id, [rule, ...(versions.get(rule.id) ?? [])]);
    const events = new Map((data?.types ?? []).map((type) => [type.type, type]));
    const named = new Set([...versions.values()].flat().map((rule) => rule.event));
    const rules = [...versions.values()].map((all) => ({ newest: all[0]!, all, count: events.get(all[0]!.event)?.events ?? 0 }))
      .sort((a, b) => b.count - a.count || a.newest.id.localeCompare(b.newest.id));
    return { rules, named, found: (data?.types ?? []).filter((type) => !named.has(type.type)).sort((a, b) => b.events - a.events) };
  }, [data]);
  const id = place.query.get("rule");
  const chosen = known.rules.find((rule) => rule.newest.id === id);
  return (
    <div class="page">
      <Loading on={loading} />
      <h1 class="title">Rules</h1>
      {error ? <Failed problem={error} retry={reload} /> : null}
      {!data && !error ? <Skeleton rows={10} /> : null}
      {data ? (
        <>
          <p class="lead">
            <strong class="num">{number(sum(data.types) - sum(known.found))}</strong> events bear a name that <span class="num">{number(known.rules.length)}</span> rules give,
            {" "}<strong class="num">{number(sum(known.found))}</strong> were named by their shape alone.
          </p>
          {id && !chosen ? <div class="notice" role="alert"><strong>There is no rule {id}</strong><p>It may have been meant for another log. These are all that were in force here.</p></div> : null}
          {chosen ? <Rule key={id} versions={chosen.all} wanted={place.query.get("version")} /> : null}
          <div class="columns">
            <section>
              <h2>Named by a rule</h2>
              {known.rules.length ? (
                <table class="plain compare">
                  <thead><tr><th scope="col">Rule</th><th scope="col">Event</th><th scope="col" class="right">Events</th></tr></thead>
                  <tbody>{known.rules.map(({ newest, count }) => (
                    <tr key={newest.id} class={newest.id === id ? "chosen" : ""}>
                      <th scope="row"><a href={`/rules?rule=${encodeURIComponent(newest.id)}`} aria-current={newest.id === id ? "true" : undefined}>{newest.id}</a></th>
                      <td><a href={`/events?type=${encodeURIComponent(newest.event)}`}>{newest.event}</a></td>
                      <td class="right num">{count ? number(count) : <span class="muted">none yet</span>}</td>
                    </tr>
                  ))}</tbody>
                </table>
              ) : <Empty>No rule was in force yet. Rules are YAML files, given with <code>--rules</code>.</Empty>}
            </section>
            <section>
              <h2>Found by shape</h2>
              {known.found.length ? (
                <>
                  <p class="muted">No rule fits these. <code>rowtrail rules learn</code> writes them out as rules to be named.</p>
                  <table class="plain compare">
                    <thead><tr><th scope="col">Event</th><th scope="col" class="right">Events</th></tr></thead>
                    <tbody>{known.found.map((type) => <tr key={type.type}><th scope="row"><a href={`/events?type=${encodeURIComponent(type.type)}`}>{type.type}</a></th><td class="right num">{number(type.events)}</td></tr>)}</tbody>
                  </table>
                </>
              ) : <Empty>Every event has a rule.</Empty>}
            </section>
          </div>
        </>
      ) : null}
    </div>
  );
}

function Rule({ versions, wanted }: { versions: RuleVersion[]; wanted: string | null }) {
  const rule = versions.find((one) => one.version === wanted) ?? versions[0]!;
  const stats = useGet<Stats>(`/v1/stats?type=${encodeURIComponent(rule.event)}`);
  return (
    <section class="rule">
      <h2>{rule.title} <span class="mono">{rule.id}</span></h2>
      {stats.error ? <Failed problem={stats.error} retry={stats.reload} /> : null}
      {stats.data ? <p>{stats.data.complete ? "" : "Of the newest events, "}<strong class="num">{number(stats.data.events)}</strong> are named <a href={`/events?type=${encodeURIComponent(rule.event)}`}>{rule.event}</a>.</p> : null}
      {stats.data ? <Histogram stats={stats.data} /> : null}
      <p class="muted">Version <span class="mono">{rule.version}</span>, in force since <Time iso={rule.recorded_at} form="full" />, record <span class="num">{rule.seq}</span>{rule.seq === versions[0]!.seq ? "" : "; not the newest"}.
        {versions.length > 1 ? <> All: {versions.map((one) => <a key={one.seq} class="mono version" href={`/rules?rule=${encodeURIComponent(one.id)}&version=${one.version}`} aria-current={one === rule ? "true" : undefined}>{one.version}</a>)}</> : null}
      </p>
      <pre class="sql" tabIndex={0}>{rule.text.trimEnd()}</pre>
    </section>
  );
}
