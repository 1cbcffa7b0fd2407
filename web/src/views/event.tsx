// One event: what happened in a sentence, who and how that is known, what changed, why it is called so.
import { useState } from "preact/hooks";
import { useGet, type Change, type ChangePage, type Event, type TransactionPage } from "../api";
import { full, number } from "../format";
import { toJson } from "../json";
import { Copy, EventLine, Failed, howKnown, Loading, ObjLink, Sev, Skeleton, Time, Who } from "../ui";
import { ChangeCard } from "./change";

export function EventPage({ seq }: { seq: string }) {
  return <article class="page"><EventDetail seq={seq} page /></article>;
}

const markdown = (event: Event) =>
  `**${event.summary ?? event.type}**  \n${full(event.time)} · ${event.actor?.id || "unknown"} (${howKnown(event.actor)}) · ${event.type}  \n` +
  `seq ${event.seq} · ${event.source} ${event.transaction} · ${location.origin}/events/${event.seq}`;

export function EventDetail({ seq, page }: { seq: string; page?: boolean }) {
  const valid = /^\d+$/.test(seq);
  const loaded = useGet<Event>(valid ? `/v1/events/${seq}` : null);
  const event = loaded.data;
  const evidence = useGet<ChangePage>(event && valid ? `/v1/events/${event.seq}/evidence` : null);
  if (!valid) return <div class="notice">An event is named by its seq, a whole number. <a href="/events">All events</a></div>;
  if (loaded.error && !loaded.data) return <Failed problem={loaded.error} retry={loaded.reload} />;
  if (!event) return <Skeleton rows={10} />;
  const changes = evidence.data?.changes ?? [];
  return (
    <div class="event">
      <Loading on={loaded.loading || evidence.loading} />
      <h1 class="title">{event.summary ?? event.title ?? event.type}</h1>
      <p class="facts">
        <Who actor={event.actor} /><span class="muted"> ({howKnown(event.actor)})</span> · <Time iso={event.time} form="full" /> · <Sev severity={event.severity} />
      </p>
      {event.objects?.length ? <p class="objects">{event.objects.map((object, i) => <ObjLink key={i} object={object} />)}</p> : null}
      <div class="actions">
        <Copy text={() => `${location.origin}/events/${event.seq}`}>Copy link</Copy>
        <Copy text={() => toJson(event as never, 2)}>Copy JSON</Copy>
        <Copy text={() => markdown(event)}>Copy Markdown</Copy>
        <Copy text={() => `curl -H "Authorization: Bearer $TOKEN" '${location.origin}/v1/events/${event.seq}'`}>Copy curl</Copy>
      </div>
      {event.attributes && Object.keys(event.attributes).length > 0 ? (
        <section><h2>Attributes</h2>
          <dl class="pairs">{Object.entries(event.attributes).map(([name, value]) => <div key={name}><dt>{name}</dt><dd class="mono">{typeof value === "string" ? value : toJson(value)}</dd></div>)}</dl>
        </section>
      ) : null}
      <section>
        <h2>Changed <span class="muted num">{evidence.data ? `${number(changes.length)} row${changes.length === 1 ? "" : "s"}` : ""}</span></h2>
        {evidence.error ? <Failed problem={evidence.error} retry={evidence.reload} /> : null}
        {!evidence.data && !evidence.error ? <Skeleton rows={6} /> : null}
        <Cards changes={changes} />
        {evidence.data?.next ? <p class="muted">Only the first {changes.length} rows are shown. <a href={`/v1/events/${event.seq}/evidence?format=csv&limit=1000`} download="evidence.csv">{(event.evidence?.length ?? 0) > 1000 ? "The first 1000 as CSV" : "All as CSV"}</a></p> : null}
        {evidence.data && changes.length === 0 ? <p class="muted">This event rests on no row: it states that something did not happen, or sums up a large transaction.</p> : null}
      </section>
      <Sql changes={changes} />
      <section>
        <h2>Why it is called so</h2>
        {event.rule?.id
          ? <p>Rule <a href={`/rules?rule=${encodeURIComponent(event.rule.id)}`}>{event.rule.id}</a>, version <span class="mono">{event.rule.version}</span>, matched the rows above and named them <span class="mono">{event.type}</span>.</p>
          : <p>No rule fits these rows, so the name <span class="mono">{event.type}</span> was found from their shape: table, operation and changed columns. <code>rowtrail rules learn</code> writes it out as a rule to be named.</p>}
        <p class="muted">The record is seq <span class="num">{event.seq}</span> of the log; evidence {event.evidence?.length ? <>seqs <span class="num">{event.evidence.join(", ")}</span></> : "none"}.</p>
      </section>
      <Transaction event={event} open={page} />
    </div>
  );
}

function Cards({ changes }: { changes: Change[] }) {
  return <>{changes.map((change) => <ChangeCard key={change.seq} change={change} />)}</>;
}

function Sql({ changes }: { changes: Change[] }) {
  const statements = [...new Set(changes.map((c) => c.query ?? c.sql).filter((s): s is string => !!s))];
  if (statements.length === 0) return null;
  return <section><h2>SQL</h2>{statements.map((sql) => <pre key={sql} class="sql" tabIndex={0}>{sql}</pre>)}</section>;
}

function Transaction({ event, open: initially }: { event: Event; open?: boolean }) {
  const [open, setOpen] = useState(initially ?? false);
  const path = `/v1/transactions/${encodeURIComponent(event.source)}/${encodeURIComponent(event.transaction)}`;
  const loaded = useGet<TransactionPage>(open ? path : null);
  const shown = new Set(event.evidence ?? []);
  const others = loaded.data?.changes.filter((change) => !shown.has(change.seq)) ?? [];
  const events = loaded.data?.events.filter((other) => other.seq !== event.seq) ?? [];
  return (
    <section>
      <h2>The whole transaction</h2>
      <p class="muted"><span class="mono wrap">{event.transaction}</span> on {event.source}</p>
      {open ? null : <button type="button" onClick={() => setOpen(true)}>Show what else it did</button>}
      {loaded.error ? <Failed problem={loaded.error} retry={loaded.reload} /> : null}
      {open && !loaded.data && !loaded.error ? <Skeleton rows={4} /> : null}
      {loaded.data ? (
        <>
          {events.length ? events.map((other) => <EventLine key={other.seq} event={other} />) : <p>No other event came from it.</p>}
          {others.length ? <Cards changes={others} /> : loaded.data.next ? null : <p>It changed nothing beyond the rows above.</p>}
          {loaded.data.next ? <p class="muted">Only its first {number(loaded.data.changes.length)} changes were looked at. <a href={`/v1/changes?transaction=${encodeURIComponent(event.transaction)}&source=${encodeURIComponent(event.source)}&limit=0&format=csv`} download="changes.csv">All as CSV</a></p> : null}
        </>
      ) : null}
    </section>
  );
}
