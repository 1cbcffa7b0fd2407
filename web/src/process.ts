// The map of a process: what the answer of /v1/process shows at the chosen level of detail, and where
// dagre puts it.
import { graphlib, layout } from "@dagrejs/dagre";

export interface Activity { type: string; events: number; first: number; last: number }
export interface Path { from: string; to: string; count: number; median_s: number; example: string }
export interface Variant { activities: string[]; cut: boolean; objects: number; median_s: number; example: string }
export interface Process {
  events: number; complete: boolean; object_type: string; objects: number;
  object_types: { type: string; objects: number; repeated: number; events: number }[];
  activities: Activity[]; paths: Path[]; paths_distinct: number; variants: Variant[]; variants_distinct: number;
}
export type Shown = Pick<Process, "activities" | "paths">;

/** The most frequent that make up `percent` of all, at least one. */
function most<T>(list: T[], count: (item: T) => number, percent: number): T[] {
  const sorted = [...list].sort((a, b) => count(b) - count(a));
  const wanted = (sorted.reduce((sum, item) => sum + count(item), 0) * percent) / 100;
  let sum = 0;
  const kept = sorted.findIndex((item) => (sum += count(item)) >= wanted - 1e-9);
  return kept < 0 ? sorted : sorted.slice(0, kept + 1);
}

/** The activities that make up so much of the events, and the paths between them that make up so much of the steps. */
export function simplify(map: Shown, activities_percent: number, paths_percent: number): Shown {
  const activities = most(map.activities, (a) => a.events, activities_percent);
  const there = new Set(activities.map((a) => a.type));
  const possible = map.paths.filter((p) => there.has(p.from) && there.has(p.to));
  const paths = new Set(most(possible, (p) => p.count, paths_percent));
  // Nobody is left without a way in, however seldom it was gone.
  for (const { type } of activities) {
    const ways = possible.filter((p) => p.to === type && p.from !== type);
    if (!ways.some((p) => paths.has(p))) most(ways, (p) => p.count, 0).forEach((p) => paths.add(p));
  }
  return { activities, paths: [...paths] };
}

/** The map of one variant alone. */
export function ofVariant(variant: Variant, paths: Path[]): Shown {
  const steps = variant.activities;
  const activities = [...new Set(steps)].map((type) => ({
    type, events: variant.objects * steps.filter((step) => step === type).length,
    first: steps[0] === type ? variant.objects : 0, last: !variant.cut && steps[steps.length - 1] === type ? variant.objects : 0,
  }));
  const found = new Map<string, Path>();
  steps.slice(1).forEach((to, i) => {
    const from = steps[i]!, key = JSON.stringify([from, to]);
    const path = found.get(key) ?? { from, to, count: 0, median_s: paths.find((p) => p.from === from && p.to === to)?.median_s ?? NaN, example: variant.example };
    found.set(key, { ...path, count: path.count + variant.objects });
  });
  return { activities, paths: [...found.values()] };
}

export const START = "\u0000start", END = "\u0000end";
export interface Box { id: string; x: number; y: number; width: number; height: number; activity?: Activity; again?: Path }
export interface Arrow { from: string; to: string; count: number; path?: Path; line: string; x: number; y: number; width: number }
export interface Drawing { x: number; y: number; width: number; height: number; boxes: Box[]; arrows: Arrow[] }

export function draw(map: Shown, textWidth: (text: string) => number, label: (path: Path) => string): Drawing {
  const graph = new graphlib.Graph({ multigraph: true });
  graph.setGraph({ rankdir: "LR", nodesep: 28, ranksep: 40, edgesep: 16, marginx: 8, marginy: 8 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const activity of map.activities) {
    const again = map.paths.find((path) => path.from === activity.type && path.to === activity.type); // a line in the box
    const width = Math.max(textWidth(activity.type), again ? textWidth(label(again)) + 16 : 0) + 24;
    graph.setNode(activity.type, { width, height: again ? 60 : 44, activity, again });
  }
  const edge = (from: string, to: string, text: string, more: { count: number; path?: Path }) =>
    graph.setEdge(from, to, { width: text ? textWidth(text) + 8 : 0, height: text ? 16 : 0, labelpos: "c", weight: Math.ceil(Math.log2(more.count + 1)), ...more });
  for (const path of map.paths) if (path.from !== path.to) edge(path.from, path.to, label(path), { count: path.count, path });
  for (const [id, side] of [[START, "first"], [END, "last"]] as const) {
    if (!map.activities.some((activity) => activity[side] > 0)) continue;
    graph.setNode(id, { width: 14, height: 14 });
    for (const activity of map.activities) {
      if (activity[side] > 0) edge(id === START ? id : activity.type, id === START ? activity.type : id, "", { count: activity[side] });
    }
  }
  layout(graph);
  const points: Point[] = []; // lines can lie outside of what dagre calls the graph's size
  const boxes = graph.nodes().map((id: string): Box => ({ id, ...(graph.node(id) as Omit<Box, "id">) }));
  const arrows = graph.edges().map((e: { v: string; w: string }): Arrow => {
    const at = graph.edge(e) as { points: Point[]; x?: number; y?: number; width: number; count: number; path?: Path };
    points.push(...at.points);
    return { from: e.v, to: e.w, count: at.count, path: at.path, line: smooth(at.points), x: at.x ?? 0, y: at.y ?? 0, width: at.width };
  });
  for (const box of boxes) for (const side of [-1, 1]) points.push({ x: box.x + (side * box.width) / 2, y: box.y + (side * box.height) / 2 });
  const xs = points.map((p) => p.x), ys = points.map((p) => p.y);
  const margin = 16, x = Math.min(...xs) - margin, y = Math.min(...ys) - margin;
  return { x, y, width: Math.max(...xs) + margin - x, height: Math.max(...ys) + margin - y, boxes, arrows };
}

interface Point { x: number; y: number }
/** Through every point, bent as a Catmull-Rom spline is. */
function smooth(points: Point[]): string {
  const at = (x: number, y: number) => `${x.toFixed(1)} ${y.toFixed(1)}`;
  const point = (i: number) => points[Math.max(0, Math.min(points.length - 1, i))]!;
  if (points.length < 2) return "";
  let line = `M ${at(point(0).x, point(0).y)}`;
  for (let i = 0; i < points.length - 1; i++) {
    const [a, b, c, d] = [point(i - 1), point(i), point(i + 1), point(i + 2)];
    line += ` C ${at(b.x + (c.x - a.x) / 6, b.y + (c.y - a.y) / 6)}, ${at(c.x - (d.x - b.x) / 6, c.y - (d.y - b.y) / 6)}, ${at(c.x, c.y)}`;
  }
  return line;
}
