// Where capture stands: lag, position, what the log holds, what could not be captured.
import { useEffect, useMemo, useState } from "preact/hooks";
import { useGet, type GapPage, type Status } from "../api";
import { Bars } from "../chart";
import { number, span } from "../format";
import { Empty, Failed, Loading, Skeleton, Time } from "../ui";

const EVERY_MS = 2000;
const POINTS = 90;

/** Records a second, measured here from one look at the log's size to the next. */
function useRate(status: Status | undefined): { time: number; rate: number }[] {
  const [points, set] = useState<{ time: number; size: number; rate: number }[]>([]);
  useEffect(() => {
    if (!status) return;
    const time = Math.floor(Date.now() / 1000);
    set((old) => {
      const last = old[old.length - 1];
      if (last && last.time >= time) return old;
      const rate = last ? Math.max(0, status.size - last.size) / (time - last.time) : 0;
      return [...old, { time, size: status.size, rate }].slice(-POINTS);
    });
  }, [status]);
  return points.slice(1);
}

export function Sources() {
  const { data: status, error, loading, reload } = useGet<Status>("/v1/status", EVERY_MS);
  const points = useRate(status);
  const chart = useMemo(() => ({
    times: points.map((p) => p.time), series: [{ label: "records a second", color: "--sev-info", values: points.map((p) => p.rate) }],
  }), [points]);
  if (!status && error) return <div class="page"><h1 class="title">Sources</h1><Failed problem={error} retry={reload} /></div>;
  if (!status) return <div class="page"><Skeleton rows={10} /></div>;
  const well = status.source_connected && status.store_writable;
  return (
    <div class="page">
      <Loading on={loading && !status} />
      <h1 class="title">Sources</h1>
      {error ? <Failed problem={error} retry={reload} /> : null}
      {error ? <p class="lead muted">What follows is what was known before.</p> : <p class="lead">
        <span class={`dot ${well ? "good" : "bad"}`} aria-hidden="true" />{" "}
        {well ? <>Capture is live, <span class="num">{span(status.lag_s)}</span> behind the source.</> : <>Capture is not live: {status.detail ?? "the source is not connected"}.</>}{" "}
        {status.gaps === 0 ? "Nothing was missed." : <><strong class="num">{number(status.gaps)}</strong> {status.gaps === 1 ? "gap says" : "gaps say"} what could not be captured or trusted.</>}
      </p>}
      <div class="wide"><table class="plain">
        <thead><tr><th scope="col">Source</th><th scope="col">Newest event</th><th scope="col">Made durable</th><th scope="col">Binlog position</th><th scope="col">GTIDs</th></tr></thead>
        <tbody>{status.sources.map((source) => (
          <tr key={source.source}>
            <th scope="row"><a href={`/events?source=${encodeURIComponent(source.source)}`}>{source.source}</a></th>
            <td><Time iso={source.event_time} form="ago" /></td><td><Time iso={source.committed} form="ago" /></td>
            <td class="mono">{source.file}:{source.pos}</td><td class="mono wrap">{source.gtid_set || "none"}</td>
          </tr>
        ))}</tbody>
      </table></div>
      {status.sources.length === 0 ? <Empty>No source was captured yet: <code>rowtrail run --source mysql://user@host</code></Empty> : null}
      {status.gaps > 0 ? <Gaps count={status.gaps} /> : null}
      <h2>Records a second</h2>
      {points.length > 1 ? <Bars {...chart} bucket_s={EVERY_MS / 1000} height={104} label={`Records a second, measured every two seconds; now ${Math.round(points[points.length - 1]!.rate)}`} /> : <p class="muted">Measured from now on, while this page is open.</p>}
      <h2>The log</h2>
      <dl class="pairs">
        <div><dt>Records</dt><dd class="num">{number(status.size)}</dd></div>
        <div><dt>Transactions</dt><dd class="num">{number(status.transactions)}</dd></div>
        <div><dt>Changes</dt><dd class="num">{number(status.changes)}</dd></div>
        <div><dt>Events</dt><dd class="num">{number(status.events)}</dd></div>
        <div><dt>Gaps</dt><dd class="num">{number(status.gaps)}</dd></div>
        <div><dt>Origin</dt><dd class="mono wrap">{status.origin}</dd></div>
        <div><dt>Version</dt><dd class="num">{status.version}</dd></div>
      </dl>
    </div>
  );
}

function Gaps({ count }: { count: number }) {
  const loaded = useGet<GapPage>("/v1/gaps?limit=50");
  return (
    <section>
      <h2>Gaps</h2>
      {loaded.error ? <Failed problem={loaded.error} retry={loaded.reload} /> : null}
      {!loaded.data && !loaded.error ? <Skeleton rows={3} /> : null}
      {loaded.data?.gaps.map((gap) => (
        <div class="gap" key={gap.seq}>
          <p><strong>{gap.kind}</strong> {gap.table ? <span class="mono">{gap.database}.{gap.table}</span> : null} <span class="muted"><Time iso={gap.committed_at} form="full" /> · {gap.source} {gap.position.file}:{gap.position.pos}</span></p>
          <p>{gap.reason}</p>
          <p class="muted">{gap.advice}</p>
        </div>
      ))}
      {loaded.data?.next ? <p class="muted">These are the newest 50 of {number(count)}; <code>rowtrail gaps</code> lists all.</p> : null}
    </section>
  );
}
