// All state is in the URL: the path names the view, the query its filters. Links are plain <a href>;
// clicks on them are taken here.
import { useEffect, useState } from "preact/hooks";

export interface Place { path: string[]; query: URLSearchParams }

function here(): Place {
  return {
    path: location.pathname.split("/").slice(1).map((part) => {
      try { return decodeURIComponent(part); } catch { return part; }
    }),
    query: new URLSearchParams(location.search),
  };
}

const listeners = new Set<() => void>();
const notify = () => listeners.forEach((listener) => listener());

export function go(url: string, replace = false): void {
  if (url === location.pathname + location.search) return;
  history[replace ? "replaceState" : "pushState"](null, "", url);
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

export function usePlace(): Place {
  const [place, set] = useState(here);
  useEffect(() => {
    const update = () => set(here());
    listeners.add(update);
    addEventListener("popstate", update);
    return () => { listeners.delete(update); removeEventListener("popstate", update); };
  }, []);
  return place;
}

document.addEventListener("click", (click) => {
  if (click.defaultPrevented || click.button !== 0 || click.metaKey || click.ctrlKey || click.shiftKey) return;
  const link = (click.target as Element).closest?.("a[href]") as HTMLAnchorElement | null;
  if (!link || link.target || link.hasAttribute("download") || link.origin !== location.origin) return;
  if (/^\/(v1|log|login)\b/.test(link.pathname) || link.hash) return;
  click.preventDefault();
  go(link.pathname + link.search);
});
