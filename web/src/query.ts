// The filters of Events: one set, three forms. The URL's query is the truth (its names are the API's),
// the text box writes it as `type:sale.completed -actor:etl since:24h words`, the chips show it.

export const NAMES = ["type", "actor", "object", "source", "database", "table", "severity", "transaction", "since", "until"] as const;
export const EXCLUDABLE = ["type", "actor", "source", "severity"] as const;
export interface Term { name: string; value: string; not: boolean }

const quote = (value: string) => (/[\s"]/.test(value) ? '"' + value.replaceAll("\\", "\\\\").replaceAll('"', '\\"') + '"' : value);
export const termText = (term: Term) =>
  (term.not ? "-" : "") + (term.name === "q" ? quote(term.value) : `${term.name}:${quote(term.value)}`);

/** `not=type:a,actor:b`; a comma or per cent sign within a value is percent-encoded. */
function readNot(text: string): Term[] {
  return text.split(",").filter(Boolean).map((item) => {
    const colon = item.indexOf(":");
    return { name: item.slice(0, colon), value: decodeURIComponent(item.slice(colon + 1)), not: true };
  });
}
function writeNot(terms: Term[]): string {
  return terms.map((term) => `${term.name}:${term.value.replaceAll("%", "%25").replaceAll(",", "%2C")}`).join(",");
}

export function termsOf(query: URLSearchParams): Term[] {
  const terms: Term[] = [];
  for (const name of NAMES) {
    const value = query.get(name);
    if (value) terms.push({ name, value, not: false });
  }
  terms.push(...readNot(query.get("not") ?? ""));
  const words = query.get("q");
  if (words) terms.push({ name: "q", value: words, not: false });
  return terms;
}

export function termsToText(terms: Term[]): string {
  return terms.map((term) => (term.name === "q" ? term.value : termText(term))).join(" ");
}

export function textToTerms(text: string): Term[] {
  const terms: Term[] = [];
  const words: string[] = [];
  for (const found of text.matchAll(/(-?)([a-z]+):(?:"((?:[^"\\]|\\.)*)"|(\S+))|(\S+)/g)) {
    const [whole, minus, name, quoted, plain] = found;
    const value = quoted !== undefined ? quoted.replace(/\\(.)/g, "$1") : plain;
    const not = minus === "-";
    const known = name !== undefined && value !== undefined &&
      (not ? (EXCLUDABLE as readonly string[]) : (NAMES as readonly string[])).includes(name);
    if (known) terms.push({ name, value, not });
    else words.push(whole);
  }
  if (words.length) terms.push({ name: "q", value: words.join(" "), not: false });
  return terms;
}

/** The query changes that make the URL say `terms`. */
export function changesFor(terms: Term[]): Record<string, string | null> {
  const changes: Record<string, string | null> = {};
  for (const name of [...NAMES, "q", "not"]) changes[name] = null;
  for (const term of terms) if (!term.not) changes[term.name] = term.value;
  changes.not = writeNot(terms.filter((term) => term.not)) || null;
  return changes;
}

/** The part of the query that the API's lists take. */
export function apiQuery(query: URLSearchParams): string {
  const out = new URLSearchParams();
  for (const name of [...NAMES, "q", "not"]) {
    const value = query.get(name);
    if (value) out.set(name, value);
  }
  return out.toString();
}
