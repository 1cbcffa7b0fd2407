import { render } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { asProblem, get, session, useGet, type Problem, type Status } from "./api";
import { applyTheme, choose, chosen, number, span, useChoices } from "./format";
import { chooseZone, go, usePlace } from "./router";
import { Guard, Loading } from "./ui";
import { Events } from "./views/events";
import { EventPage } from "./views/event";
import { ObjectView } from "./views/object";
import { ProcessView } from "./views/process";
import { RowView } from "./views/row";
import { Rules } from "./views/rules";
import { Sources } from "./views/sources";
import { Today } from "./views/today";
import "./style.css";

const VIEWS = [
  { name: "today", title: "Today" },
  { name: "events", title: "Events" },
  { name: "objects", title: "Objects" },
  { name: "rows", title: "Rows" },
  { name: "process", title: "Process" },
  { name: "rules", title: "Rules" },
  { name: "sources", title: "Sources" },
];

function View() {
  const place = usePlace();
  const [first = "", second] = place.path;
  switch (first) {
    case "":
    case "events": return second ? <EventPage seq={second} /> : <Events place={place} />;
    case "today": return <Today place={place} />;
    case "objects": return <ObjectView place={place} />;
    case "rows": return <RowView place={place} />;
    case "process": return <ProcessView place={place} />;
    case "rules": return <Rules place={place} />;
    case "sources": return <Sources />;
    default: return <div class="notice">There is no view here. <a href="/events">Go to Events</a></div>;
  }
}

function Health() {
  const { data, error } = useGet<Status>("/v1/status", 5000);
  if (error) return <a class="health" href="/sources"><span class="dot bad" aria-hidden="true" /><span class="state">{error.title}</span></a>;
  if (!data) return <span class="health" />;
  const well = data.source_connected && data.store_writable;
  const words = well ? (data.lag_s < 2 ? "live" : `${span(data.lag_s)} behind`) : (data.detail ?? "not capturing");
  return (
    <a class="health" href="/sources" title={`${words}; ${number(data.size)} records in the log`}>
      <span class={`dot ${well ? "good" : "bad"}`} aria-hidden="true" />
      <span class="of">{data.sources.map((s) => s.source).join(", ")}</span>
      <span class="state">{words}</span>
    </a>
  );
}

function SearchBox() {
  const input = useRef<HTMLInputElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key !== "/" || typing(event)) return;
      event.preventDefault();
      input.current?.focus();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  const submit = (event: globalThis.Event) => {
    event.preventDefault();
    const text = input.current!.value.trim();
    if (!text) return;
    input.current!.value = "";
    input.current!.blur();
    if (/^\d+$/.test(text)) return go(`/events/${text}`);
    const object = /^([a-z_][\w.]*)[ /#]([\w-]+)$/i.exec(text);
    go(object && /\d/.test(object[2]!) ? `/objects/${object[1]}/${encodeURIComponent(object[2]!)}` : `/events?q=${encodeURIComponent(text)}`);
  };
  return (
    <form class="search" role="search" onSubmit={submit}>
      <input ref={input} type="search" aria-label="Search: words, a seq, or an object such as product 7" placeholder="Search   /"
        onKeyDown={(event) => { if (event.key === "Escape") event.currentTarget.blur(); }} />
    </form>
  );
}

/** Whether a key is for what has the focus, or single keys are switched off. */
export const typing = (event: KeyboardEvent) =>
  (event.key.length === 1 && !chosen().keys) || event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|TEXTAREA|SELECT)$/.test((event.target as Element).tagName);

const KEYS = [
  ["j  k", "next, previous row"], ["Enter", "open the row; again for its page"], ["Esc", "close what is open"],
  ["x  Shift+x", "only, or not, events of the row's type"], ["/", "search"], ["l", "live tail on and off"], ["?", "this help"],
];
function Help() {
  const { keys } = useChoices();
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "?" && !typing(event)) dialog.current?.showModal();
    };
    addEventListener("keydown", onKey);
    return () => removeEventListener("keydown", onKey);
  }, []);
  return (
    <>
      <button type="button" class="quiet" aria-label="Keyboard" title="Keyboard (?)" onClick={() => dialog.current?.showModal()}>?</button>
      <dialog ref={dialog} aria-labelledby="keys">
        <h2 id="keys">Keyboard</h2>
        <p><label><input type="checkbox" checked={keys} onChange={(change) => choose({ keys: change.currentTarget.checked })} /> Single keys act (all but Enter and Esc)</label></p>
        <dl class="keys">{KEYS.map(([key, what]) => <div key={key}><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>)}</dl>
        <form method="dialog"><button type="submit">Close</button></form>
      </dialog>
    </>
  );
}

function Frame({ onLeave }: { onLeave: () => void }) {
  const { utc, theme } = useChoices();
  const { path } = usePlace();
  const current = path[0] || "events";
  const next = theme === "auto" ? "dark" : theme === "dark" ? "light" : "auto";
  useEffect(() => {
    const view = VIEWS.find((v) => v.name === current)?.title ?? "rowtrail";
    document.title = [...path.slice(1).filter(Boolean), view, "rowtrail"].join(" · ");
  }, [path.join("/")]);
  return (
    <>
      <a class="skip" href="#main">Skip to content</a>
      <header>
        <a class="brand" href="/events">rowtrail</a>
        <nav aria-label="Views">
          {VIEWS.map(({ name, title }) => <a key={name} href={`/${name}`} aria-current={current === name ? "page" : undefined}>{title}</a>)}
        </nav>
        <Health />
        <SearchBox />
        <button type="button" class="quiet" title="Times in UTC or local time" onClick={() => chooseZone(!utc)}>{utc ? "UTC" : "local"}</button>
        <button type="button" class="quiet" aria-label={`Colours: ${theme}. Change to ${next}`} title={`Colours: ${theme}`} onClick={() => choose({ theme: next })}>
          <span aria-hidden="true">◐</span>
        </button>
        <Help />
        <button type="button" class="quiet" onClick={onLeave}>Log out</button>
      </header>
      <main id="main" tabIndex={-1}><Guard at={location.pathname + location.search}><View /></Guard></main>
    </>
  );
}

function Login({ note, onDone }: { note: string; onDone: () => void }) {
  const [problem, set] = useState(note);
  useEffect(() => { session.dispatchEvent(new globalThis.Event("forget")); }, []); // the next reader may be another
  const submit = async (event: globalThis.Event) => {
    event.preventDefault();
    const token = (new FormData(event.target as HTMLFormElement).get("token") as string).trim();
    const response = await fetch("/login", { method: "POST", headers: { Authorization: `Bearer ${token}` } }).catch(() => null);
    if (response?.ok) return onDone();
    set(response ? "This token is not known or has expired." : "rowtrail does not answer.");
  };
  return (
    <main class="login">
      <h1>rowtrail</h1>
      <p>What happened to a row is shown to people with a token only.</p>
      <form onSubmit={submit}>
        <label for="token">Token</label>
        <input id="token" name="token" type="password" autocomplete="current-password" required aria-describedby="token-help" />
        <p id="token-help" class="muted"><code>rowtrail run</code> names the file that holds it when it starts, and prints a link that opens this page once without it.</p>
        {problem ? <p role="alert" class="bad-text">{problem}</p> : null}
        <button type="submit" class="primary">Open</button>
      </form>
    </main>
  );
}

function App() {
  const [state, set] = useState<"asking" | "in" | "out">("asking");
  useEffect(() => {
    const ended = () => set("out");
    session.addEventListener("ended", ended);
    return () => session.removeEventListener("ended", ended);
  }, []);
  useEffect(() => {
    if (state !== "asking") return;
    get<Status>("/v1/status").then(() => set("in"), (error: unknown) => {
      const problem: Problem = asProblem(error);
      set(problem.status === 401 || problem.status === 403 ? "out" : "in");
    });
  }, [state]);
  const [note, setNote] = useState("");
  const leave = async () => {
    const response = await fetch("/logout", { method: "POST" }).catch(() => null);
    setNote(response?.ok || response?.status === 401 ? "" : "The session could not be ended: rowtrail does not answer. It ends by itself after 12 hours.");
    set("out");
  };
  if (state === "asking") return <Loading on />;
  return state === "out" ? <Login note={note} onDone={() => set("in")} /> : <Frame onLeave={leave} />;
}

applyTheme();
render(<App />, document.getElementById("app")!);
