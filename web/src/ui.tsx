// The small parts that all views share.
import { Component, type ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { keyInUrl, type Actor, type Event, type Obj, type Problem, type Severity } from "./api";
import { ago, clock, dayOf, full, number, shortDay, useChoices } from "./format";

const KNOWN: Record<string, [string, string]> = {
  exact: ["◆", "known exactly"],
  corroborated: ["◇", "corroborated: two signs agree"],
  heuristic: ["○", "likely: inferred from one sign"],
  unknown: ["?", "not known"],
};
const VIA: Record<string, string> = {
  context: "a context row of the transaction", comment: "a comment in the SQL", column: "a column of the row",
  session: "the database session",
};
export function howKnown(actor: Actor | null | undefined): string {
  if (!actor?.id) return "nothing in the transaction says who acted";
  const [, words] = KNOWN[actor.confidence ?? "unknown"] ?? KNOWN.unknown!;
  return words + (actor.via ? `, from ${VIA[actor.via] ?? actor.via}` : "");
}
export function Who({ actor }: { actor: Actor | null | undefined }) {
  if (!actor?.id) return <span class="who muted" title={howKnown(actor)}>unknown</span>;
  const [mark] = KNOWN[actor.confidence ?? "unknown"] ?? KNOWN.unknown!;
  return (
    <span class="who" title={howKnown(actor)}>
      {actor.id} <span class="mark" aria-hidden="true">{mark}</span>
      <span class="sr">, {howKnown(actor)}</span>
    </span>
  );
}

const LEVELS: Record<Severity, number> = { info: 0, low: 1, medium: 2, high: 3, critical: 4 };
export function Sev({ severity = "info" }: { severity?: Severity }) {
  const level = LEVELS[severity];
  return (
    <span class={`sev ${severity}`}>
      {level ? (
        <svg viewBox="0 0 13 10" width="13" height="10" aria-hidden="true">
          {[1, 2, 3, 4].map((n) => <rect key={n} x={n * 3.4 - 3.4} y={10 - n * 2.5} width="2.4" height={n * 2.5} opacity={n <= level ? 1 : 0.25} />)}
        </svg>
      ) : null}
      {severity}
    </span>
  );
}

export function ObjLink({ object, role = true }: { object: Obj; role?: boolean }) {
  return (
    <a class="object" href={objectUrl(object)} onClick={(click) => click.stopPropagation()}>
      <span class="muted">{role && object.role ? object.role : object.type}</span>{" "}<span class="mono">{object.id}</span>
    </a>
  );
}
export const objectUrl = (object: Obj) => `/objects/${encodeURIComponent(object.type)}/${keyInUrl(object.id)}`;

/** day: also the day, where a list needs it to be said. */
export function Time({ iso, form = "clock", day = false }: { iso: string; form?: "clock" | "second" | "full" | "ago"; day?: boolean }) {
  useChoices();
  const text = form === "full" ? full(iso) : form === "ago" ? ago(iso) : clock(iso, form === "second" ? 0 : 3);
  return <time class="num" dateTime={iso} title={`${full(iso)}\n${iso}`}>{text}{day ? <span class="day"> {shortDay(dayOf(iso))}</span> : null}</time>;
}
export const Num = ({ children }: { children: number }) => <span class="num">{number(children)}</span>;

export function Loading({ on }: { on: boolean }) {
  return <div class={on ? "bar on" : "bar"} role="status">{on ? <span class="sr">Loading</span> : null}</div>;
}
export function Skeleton({ rows = 8 }: { rows?: number }) {
  return <div class="skeleton" aria-hidden="true">{Array.from({ length: rows }, (_, i) => <i key={i} />)}</div>;
}
export function Failed({ problem, retry }: { problem: Problem; retry: () => void }) {
  return (
    <div class="notice" role="alert">
      <strong>{problem.title}</strong>
      {problem.detail ? <p>{problem.detail}</p> : null}
      {problem.hint ? <p class="muted">{problem.hint}</p> : null}
      <button type="button" onClick={retry}>Try again</button>
    </div>
  );
}
export function Empty({ children }: { children: ComponentChildren }) {
  return <div class="notice empty">{children}</div>;
}

/** A view that stumbles says so, and leaves the frame around it standing. */
export class Guard extends Component<{ at: string; children: ComponentChildren }, { error?: Error }> {
  static override getDerivedStateFromError = (error: unknown) => ({ error: error instanceof Error ? error : new Error(String(error)) });
  override componentDidUpdate(before: { at: string }) {
    if (this.state.error && before.at !== this.props.at) this.setState({ error: undefined });
  }
  override render() {
    if (!this.state.error) return this.props.children;
    return (
      <div class="page"><div class="notice" role="alert">
        <strong>This view cannot be shown</strong>
        <p>{this.state.error.message}</p>
        <p class="muted">The address may be mistyped; what is recorded is not touched.</p>
        <button type="button" onClick={() => this.setState({ error: undefined })}>Try again</button> <a href="/events">All events</a>
      </div></div>
    );
  }
}

/** A button with a list below it; Esc and a click elsewhere close it. */
export function Menu({ label, name, kind = "", children }: { label: ComponentChildren; name: string; kind?: string; children: ComponentChildren }) {
  const box = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const close = (event: Event_) => {
      if (event.type === "keydown" ? (event as KeyboardEvent).key === "Escape" : !box.current?.contains(event.target as Node)) {
        if (box.current) box.current.open = false;
      }
    };
    document.addEventListener("click", close);
    document.addEventListener("keydown", close);
    return () => { document.removeEventListener("click", close); document.removeEventListener("keydown", close); };
  }, []);
  return (
    <details class={`menu ${kind}`} ref={box}>
      <summary aria-label={name}>{label}</summary>
      <div class="menu-list">{children}</div>
    </details>
  );
}
type Event_ = globalThis.Event;

export function Copy({ text, children }: { text: () => string | Promise<string>; children: ComponentChildren }) {
  const [state, set] = useState("");
  const copy = async () => {
    try { await navigator.clipboard.writeText(await text()); set("copied"); }
    catch { set("not allowed here"); }
    setTimeout(() => set(""), 1500);
  };
  return <button type="button" class="quiet" onClick={copy}>{state || children}</button>;
}

/** Sentence, who, objects and severity of one event, as a row of a list. */
export function EventLine({ event, from, day }: { event: Event; from?: "object"; day?: boolean }) {
  return (
    <a class="line" href={`/events/${event.seq}`}>
      <Time iso={event.time} day={day} />
      <span class="what">{event.summary ?? event.title ?? event.type}</span>
      <Who actor={event.actor} />
      {from ? null : <span class="type muted">{event.type}</span>}
      {event.severity && event.severity !== "info" ? <Sev severity={event.severity} /> : null}
    </a>
  );
}
