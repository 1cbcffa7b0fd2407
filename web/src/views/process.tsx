// Process: how objects of one type go from event to event, how often and how fast, as a map and as variants.
import { useMemo } from "preact/hooks";
import { useGet, keyInUrl } from "../api";
import { number, span } from "../format";
import { draw, END, ofVariant, simplify, START, type Arrow, type Path, type Process as ProcessMap, type Shown } from "../process";
import { apiQuery, termsOf, changesFor } from "../query";
import { go, withQuery, type Place } from "../router";
import { Empty, Failed, Loading, Skeleton } from "../ui";
import { Chips, Spans } from "./events";

const measure = (() => {
  let context: CanvasRenderingContext2D | null | undefined;
  return (text: string) => {
    context ??= document.createElement("canvas").getContext("2d");
    if (!context) return text.length * 7.5;
    context.font = `13px ${getComputedStyle(document.body).fontFamily}`;
    return Math.ceil(context.measureText(text).width);
  };
})();
const after = (path: Path) => (Number.isNaN(path.median_s) ? "" : span(path.median_s));
const label = (path: Path) => [number(path.count), after(path)].filter(Boolean).join(" · ");
const thick = (count: number, most: number) => 1 + 5 * Math.sqrt(count / most);

function Map_({ shown, eventsUrl }: { shown: Shown; eventsUrl: (type: string) => string }) {
  const drawing = useMemo(() => draw(shown, measure, label), [shown]);
  const most = Math.max(1, ...drawing.arrows.map((arrow) => arrow.count));
  const name = (id: string) => (id === START ? "start" : id === END ? "end" : id);
  const words = (arrow: Arrow) => `${name(arrow.from)} → ${name(arrow.to)}: ${number(arrow.count)} times${arrow.path && after(arrow.path) ? `, after ${after(arrow.path)} (median)` : ""}`;
  return (
    <div class="map" tabIndex={0} role="group" aria-label="Map of the process; the table below says the same">
      <svg width={drawing.width} height={drawing.height} viewBox={`${drawing.x} ${drawing.y} ${drawing.width} ${drawing.height}`}>
        <defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path d="M0 0 L8 4 L0 8 z" /></marker></defs>
        {drawing.arrows.map((arrow) => (
          <path key={arrow.from + ">" + arrow.to} class={arrow.path ? "way" : "way side"} d={arrow.line} stroke-width={thick(arrow.count, most)} marker-end="url(#arrow)"><title>{words(arrow)}</title></path>
        ))}
        {drawing.arrows.map((arrow) => (arrow.path ? (
          <g key={arrow.from + ">" + arrow.to}>
            <rect class="ground" x={arrow.x - arrow.width / 2} y={arrow.y - 8} width={arrow.width} height="16" />
            <text class="way-label" x={arrow.x} y={arrow.y + 4} text-anchor="middle">{label(arrow.path)}</text>
          </g>
        ) : null))}
        {drawing.boxes.map((box) => (box.activity ? (
          <a key={box.id} href={eventsUrl(box.id)}>
            <rect x={box.x - box.width / 2} y={box.y - box.height / 2} width={box.width} height={box.height} rx="4" />
            <text class="activity" x={box.x} y={box.y - box.height / 2 + 18} text-anchor="middle">{box.id}</text>
            <text class="count" x={box.x} y={box.y - box.height / 2 + 35} text-anchor="middle">{number(box.activity.events)}</text>
            {box.again ? <text class="count" x={box.x} y={box.y - box.height / 2 + 51} text-anchor="middle">↻ {label(box.again)}</text> : null}
          </a>
        ) : box.id === START
          ? <circle key={box.id} class="end" cx={box.x} cy={box.y} r="7"><title>first event</title></circle>
          : <rect key={box.id} class="end" x={box.x - 6} y={box.y - 6} width="12" height="12" rx="2"><title>last event</title></rect>))}
      </svg>
    </div>
  );
}

function Slider({ name, param, value }: { name: string; param: string; value: number }) {
  return (
    <label class="slider">{name} <input type="range" min="10" max="100" step="5" value={value} onChange={(event) => go(withQuery({ [param]: event.currentTarget.value }), true)} /> <span class="num">{value} %</span></label>
  );
}
const percent = (text: string | null, usual: number) => {
  const value = Number(text ?? usual);
  return value >= 1 && value <= 100 ? value : usual;
};

export function ProcessView({ place }: { place: Place }) {
  const query = new URLSearchParams(apiQuery(place.query));
  const base = query.toString();
  const asked = place.query.get("of");
  if (asked) query.set("object_type", asked);
  const { data, error, loading, reload } = useGet<ProcessMap>(`/v1/process?${query}`);
  const terms = termsOf(place.query);
  const activities = percent(place.query.get("activities"), 100), paths = percent(place.query.get("paths"), 100);
  const chosen = place.query.get("variant");
  const variantKey = (steps: string[]) => steps.join(" ");
  const variant = data?.variants.find((v) => variantKey(v.activities) === chosen);
  const shown = useMemo(() => (data ? (variant ? ofVariant(variant, data.paths) : simplify(data, activities, paths)) : undefined), [data, variant, activities, paths]);
  const eventsUrl = (type: string) => `/events?${base ? base + "&" : ""}type=${encodeURIComponent(type)}`;
  const objectUrl = (id: string) => `/objects/${encodeURIComponent(data!.object_type)}/${keyInUrl(id)}`;
  return (
    <div class="page wider">
      <Loading on={loading} />
      <h1 class="title">Process</h1>
      <div class="tools">
        <Spans place={place} />
        <Chips terms={terms.filter((term) => term.name !== "since")} set={(next) => go(withQuery({ ...changesFor(next), since: place.query.get("since") }))} />
      </div>
      {error ? <Failed problem={error} retry={reload} /> : null}
      {!data && !error ? <Skeleton rows={10} /> : null}
      {data && data.object_types.length === 0 ? <Empty>No event of this time touches an object. <button type="button" onClick={() => go("/process")}>Look at all time</button></Empty> : null}
      {data && data.object_types.length > 0 && shown ? (
        <>
          <div class="spans of" role="group" aria-label="Objects to follow">
            {[...data.object_types].sort((a, b) => b.repeated - a.repeated).map(({ type, objects }) => (
              <button type="button" key={type} aria-pressed={type === data.object_type} onClick={() => go(withQuery({ of: type, variant: null }))}>{type} <span class="muted num">{number(objects)}</span></button>
            ))}
          </div>
          <p class="lead">
            <strong class="num">{number(data.objects)}</strong> {data.objects === 1 ? "object" : "objects"} of type {data.object_type} went through <span class="num">{data.activities.length}</span> types of events,
            {" "}in <span class="num">{number(data.variants_distinct)}</span> {data.variants_distinct === 1 ? "variant" : "variants"}.
            {data.complete ? "" : <span class="muted"> Only the newest {number(data.events)} events were looked at; earlier steps of these objects are not in the map.</span>}
          </p>
          {variant ? <p>Only the variant of {number(variant.objects)} objects is shown. <a href={withQuery({ variant: null })}>Show all</a></p> : (
            <div class="sliders"><Slider name="Events shown" param="activities" value={activities} /><Slider name="Steps shown" param="paths" value={paths} /></div>
          )}
          {data.activities.length ? <Map_ shown={shown} eventsUrl={eventsUrl} /> : <Empty>No {data.object_type} is touched by these events.</Empty>}
          <p class="muted small">Numbers on a line: how often this step was taken, and the median time it took. A click on an event opens its list.</p>
          <div class="columns">
            <section>
              <h2>Variants</h2>
              <ol class="variants">{data.variants.map((v) => {
                const share = v.objects / data.objects;
                const on = v === variant;
                return (
                  <li key={variantKey(v.activities)}>
                    <button type="button" aria-pressed={on} onClick={() => go(withQuery({ variant: on ? null : variantKey(v.activities) }), true)}>
                      <svg viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true"><rect width={share * 100} height="8" /></svg>
                      <span class="num">{number(v.objects)}</span> <span class="muted num">{share < 0.01 ? "< 1" : Math.round(share * 100)} %</span>
                    </button>
                    <p class="steps">{v.activities.map((step, i) => <span key={i}>{i ? <span class="arrow" aria-label="then"> → </span> : null}{step}</span>)}{v.cut ? " → …" : ""}</p>
                    <p class="muted">{v.activities.length > 1 ? <>{span(v.median_s)} from first to last (median), </> : null}as <a href={objectUrl(v.example)}>{data.object_type} {v.example}</a></p>
                  </li>
                );
              })}</ol>
              {data.variants_distinct > data.variants.length ? <p class="muted">These are the {data.variants.length} most frequent of {number(data.variants_distinct)}.</p> : null}
            </section>
            <section>
              <h2>Steps</h2>
              <table class="plain compare">
                <thead><tr><th scope="col">From</th><th scope="col">To</th><th scope="col" class="right">Times</th><th scope="col" class="right">Median</th></tr></thead>
                <tbody>{[...shown.paths].sort((a, b) => b.count - a.count).map((path) => (
                  <tr key={path.from + ">" + path.to}><th scope="row">{path.from}</th><td><a href={objectUrl(path.example)} title={`as ${data.object_type} ${path.example}`}>{path.to}</a></td><td class="right num">{number(path.count)}</td><td class="right num">{after(path)}</td></tr>
                ))}</tbody>
              </table>
              {data.paths_distinct > data.paths.length ? <p class="muted">The {data.paths.length} most frequent of {number(data.paths_distinct)} steps.</p> : null}
            </section>
          </div>
        </>
      ) : null}
    </div>
  );
}
