// All state is in the URL: the path names the view, the query its filters and `tz=local` the times.
// Links are plain <a href>; clicks on them are taken here.
import { useEffect, useState } from "preact/hooks";
import { choose, chosen } from "./format";

export interface Place { path: string[]; query: URLSearchParams; back: boolean }

let back = false; // whether the reader came here by Back or Forward
function here(): Place {
  return {
    path: location.pathname.split("/").slice(1).map((part) => {
      try { return decodeURIComponent(part); } catch { return part; }
    }),
    query: new URLSearchParams(location.search),
    back,
  };
}

const listeners = new Set<() => void>();
function notify(): void {
  const utc = new URLSearchParams(location.search).get("tz") !== "local";
  if (utc !== chosen().utc) choose({ utc });
  listeners.forEach((listener) => listener());
}

/** The URL with the times the reader chose, so that whoever gets the link reads the same. */
function withZone(url: string): string {
  if (chosen().utc || /[?&]tz=/.test(url)) return url;
  return url + (url.includes("?") ? "&" : "?") + "tz=local";
}

export function go(url: string, replace = false): void {
  url = withZone(url);
  if (url === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"](null, "", url);
  back = false;
  notify();
  if (!replace) window.scrollTo(0, 0);
}

/** The same path with some of the query changed; null removes. */
export function withQuery(changes: Record<string, string | null>): string {
  const query = new URLSearchParams(location.search);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  return location.pathname + (text ? "?" + text : "");
}

export function chooseZone(utc: boolean): void {
  choose({ utc });
  go(withQuery({ tz: utc ? null : "local" }), true);
}

export function usePlace(): Place {
  const [place, set] = useState(here);
  useEffect(() => {
    const update = () => set(here());
    listeners.add(update);
    return () => { listeners.delete(update); };
  }, []);
  return place;
}

addEventListener("popstate", () => { back = true; notify(); });
// The entrance takes what the reader chose last; a deep link says itself which times it means.
if (location.pathname === "/") history.replaceState(null, "", withZone(location.pathname + location.search));
notify();

document.addEventListener("click", (click) => {
  if (click.defaultPrevented || click.button !== 0 || click.metaKey || click.ctrlKey || click.shiftKey) return;
  const link = (click.target as Element).closest?.("a[href]") as HTMLAnchorElement | null;
  if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
  if (/^\/(v1|log|login)\b/.test(link.pathname) || link.hash) return;
  click.preventDefault();
  go(link.pathname + link.search);
});
