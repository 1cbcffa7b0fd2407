// Events as they happen. A hidden page holds no connection, a cut one comes back behind the last seq.
import { useEffect, useRef, useState } from "preact/hooks";
import { get, type Event, type Status } from "./api";
import { parseJson } from "./json";

const GATHER_MS = 250; // a burst costs four drawings a second, not hundreds
const BACKOFF_MAX_MS = 30_000;

/** Calls `take` with what came after `after`, newest first; null waits. True while the stream is cut. */
export function useStream(query: string, after: number | null, take: (events: Event[]) => void): boolean {
  const [cut, setCut] = useState(false);
  const taker = useRef(take);
  taker.current = take;
  useEffect(() => {
    setCut(false);
    if (after === null || new URLSearchParams(query).has("until")) return;
    let stream: EventSource | undefined;
    let retry: ReturnType<typeof setTimeout> | undefined;
    let last = after, wait_ms = 1000;
    let gathered: Event[] = [];
    const close = () => { stream?.close(); stream = undefined; clearTimeout(retry); };
    const open = () => {
      close();
      if (document.hidden) return;
      stream = new EventSource(`/v1/stream?${query ? query + "&" : ""}after=${last}`);
      stream.onopen = () => { setCut(false); wait_ms = 1000; };
      stream.onmessage = (message: MessageEvent<string>) => {
        if (message.lastEventId) last = Number(message.lastEventId);
        if (message.data) gathered.push(parseJson(message.data) as unknown as Event);
      };
      stream.onerror = () => {
        setCut(true);
        if (stream?.readyState !== EventSource.CLOSED) return; // the browser tries again by itself
        close();
        retry = setTimeout(open, wait_ms);
        wait_ms = Math.min(wait_ms * 2, BACKOFF_MAX_MS);
        get<Status>("/v1/status").catch(() => { /* a session that ended shows the login */ });
      };
    };
    const onVisible = () => (document.hidden ? close() : open());
    open();
    document.addEventListener("visibilitychange", onVisible);
    const timer = setInterval(() => {
      if (gathered.length === 0) return;
      const fresh = gathered.reverse();
      gathered = [];
      taker.current(fresh);
    }, GATHER_MS);
    return () => { close(); clearInterval(timer); document.removeEventListener("visibilitychange", onVisible); };
  }, [query, after]);
  return cut;
}
