// Which rules name the events, and how often; what no rule fits stands beside them, to be named.
import { useGet, type EventPage, type Facet, type Stats } from "../api";
import { number } from "../format";
import { Empty, Failed, Loading, Skeleton } from "../ui";

export function Rules() {
  const stats = useGet<Stats>("/v1/stats");
  const named = stats.data?.types.values.filter((v) => !v.value.startsWith("auto.")) ?? [];
  const found = stats.data?.types.values.filter((v) => v.value.startsWith("auto.")) ?? [];
  return (
    <div class="page">
      <Loading on={stats.loading} />
      <h1 class="title">Rules</h1>
      {stats.error ? <Failed problem={stats.error} retry={stats.reload} /> : null}
      {!stats.data && !stats.error ? <Skeleton rows={10} /> : null}
      {stats.data ? (
        <>
          <p><strong class="num">{number(sum(named))}</strong> events were named by rules, <strong class="num">{number(sum(found))}</strong> by their shape alone{stats.data.complete ? "" : ", of the newest " + number(stats.data.events)}.</p>
          <div class="columns">
            <section><h2>Named by a rule</h2>{named.length ? <Hits values={named} rules /> : <Empty>No rule matched yet. Rules are YAML files, given with <code>--rules</code>.</Empty>}</section>
            <section>
              <h2>Found by shape</h2>
              {found.length ? <><p class="muted">No rule fits these. <code>rowtrail rules learn</code> writes them out as rules to be named.</p><Hits values={found} /></> : <Empty>Every event has a rule.</Empty>}
            </section>
          </div>
        </>
      ) : null}
    </div>
  );
}

const sum = (values: Facet["values"]) => values.reduce((total, v) => total + v.count, 0);

function Hits({ values, rules }: { values: Facet["values"]; rules?: boolean }) {
  return (
    <table class="plain">
      <thead><tr><th scope="col">Type of event</th>{rules ? <th scope="col">Rule</th> : null}<th scope="col" class="right">Hits</th></tr></thead>
      <tbody>{values.map((v) => (
        <tr key={v.value}><th scope="row"><a href={`/events?type=${encodeURIComponent(v.value)}`}>{v.value}</a></th>{rules ? <td><RuleOf type={v.value} /></td> : null}<td class="right num">{number(v.count)}</td></tr>
      ))}</tbody>
    </table>
  );
}

function RuleOf({ type }: { type: string }) {
  const newest = useGet<EventPage>(`/v1/events?type=${encodeURIComponent(type)}&limit=1&fields=seq,rule`);
  const rule = newest.data?.events[0]?.rule;
  return rule ? <span class="mono">{rule.id} <span class="muted">{rule.version}</span></span> : null;
}
