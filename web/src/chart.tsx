// Charts by uPlot, in the page's own colours: stacked bars over time, with a brush where it is wanted.
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useChoices } from "./format";

export interface Series { label: string; color: string; values: number[] }
interface Props {
  times: number[]; // seconds, start of each bucket
  bucket_s: number;
  series: Series[]; // bottom first
  height: number;
  range?: [number, number];
  label: string; // for those who cannot see it
  onBrush?: (from: number, to: number) => void;
}

const css = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function options(props: Props, width: number, utc: boolean): uPlot.Options {
  const bars = uPlot.paths.bars!({ size: [0.86, 40], align: 1 });
  const ink = css("--muted"), line = css("--line");
  const axis = { stroke: ink, font: "11px system-ui", ticks: { show: false }, grid: { stroke: line, width: 1 } };
  return {
    width, height: props.height, legend: { show: false }, padding: [16, 20, 0, 0],
    tzDate: (t) => (utc ? uPlot.tzDate(new Date(t * 1000), "Etc/UTC") : new Date(t * 1000)),
    scales: { x: { range: () => props.range ?? wholeRange(props) }, y: { range: (_p, _min, max) => [0, Math.max(max, 1) * 1.05] } },
    cursor: { y: false, points: { show: false }, drag: { x: props.onBrush !== undefined, y: false, setScale: false } },
    axes: [
      { ...axis, size: 24, space: 72, grid: { show: false }, values: timeLabels(utc) },
      { ...axis, size: 44, splits: (_p, _i, _min, max) => { const top = niceTop(max); return [0, top / 2, top]; },
        values: (_p, ticks) => ticks.map((v) => (Number.isInteger(v) ? String(v) : "")) },
    ],
    series: [{}, ...props.series.map(({ label, color }) => ({ label, fill: css(color), stroke: css(color), width: 0, paths: bars, points: { show: false } }))].map((s, i, all) => (i === 0 ? s : all[all.length - i]!)),
    hooks: {
      setSelect: [(plot) => {
        if (!props.onBrush || plot.select.width < 3) return;
        props.onBrush(plot.posToVal(plot.select.left, "x"), plot.posToVal(plot.select.left + plot.select.width, "x"));
        plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
      }],
    },
  };
}

/** At least this many buckets, so that a few events do not fill the width; the newest at the right. */
const BUCKETS_MIN = 30;
function wholeRange({ times, bucket_s }: Props): [number, number] {
  const end = (times[times.length - 1] ?? 0) + bucket_s;
  return [Math.min(times[0] ?? 0, end - BUCKETS_MIN * bucket_s), end];
}

function niceTop(max: number): number {
  const unit = 10 ** Math.floor(Math.log10(Math.max(max, 1)));
  for (const factor of [5, 4, 2, 1]) if (factor * unit <= max) return Math.max(factor * unit, 1);
  return Math.max(unit, 1);
}

function timeLabels(utc: boolean): uPlot.Axis.Values {
  const two = (n: number) => String(n).padStart(2, "0");
  return (_plot, ticks, _axis, _space, step) => ticks.map((t, i) => {
    const date = new Date(t * 1000);
    const [month, day, h, m, s] = utc
      ? [date.getUTCMonth(), date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()]
      : [date.getMonth(), date.getDate(), date.getHours(), date.getMinutes(), date.getSeconds()];
    const ofDay = `${two(month + 1)}-${two(day)}`;
    if (step >= 86_400) return ofDay;
    const time = step < 60 ? `${two(h)}:${two(m)}:${two(s)}` : `${two(h)}:${two(m)}`;
    return i === 0 && step >= 10_800 ? `${ofDay} ${time}` : time;
  });
}

export function Bars(props: Props) {
  const box = useRef<HTMLDivElement>(null);
  const { utc, theme } = useChoices();
  useEffect(() => {
    const element = box.current!;
    let plot: uPlot | undefined;
    const draw = () => {
      plot?.destroy();
      if (element.clientWidth === 0) return;
      // Stacked: each band is drawn as the sum up to it, the highest first, the lower ones over it.
      const sums: number[][] = [];
      props.series.forEach((one, i) => sums.push(one.values.map((v, k) => v + (sums[i - 1]?.[k] ?? 0))));
      plot = new uPlot(options(props, element.clientWidth, utc), [props.times, ...sums.reverse()] as uPlot.AlignedData, element);
    };
    draw();
    const observer = new ResizeObserver(() => { if (plot?.width !== element.clientWidth) draw(); });
    observer.observe(element);
    const dark = matchMedia("(prefers-color-scheme: dark)");
    dark.addEventListener("change", draw);
    return () => { observer.disconnect(); dark.removeEventListener("change", draw); plot?.destroy(); };
  }, [props.times, props.series, props.height, props.range?.[0], props.range?.[1], utc, theme]);
  return <div class="chart" ref={box} role="img" aria-label={props.label} style={{ minHeight: `${props.height}px` }} />;
}
