// The filters of Events: one set, three forms. The URL's query is the truth (its names are the API's),
// the text box writes it as `type:sale.completed -actor:etl since:24h words`, the chips show it.

export const NAMES = ["type", "actor", "object", "source", "database", "table", "severity", "transaction", "since", "until"] as const;
export const EXCLUDABLE = ["type", "actor", "source", "severity"] as const;
export interface Term { name: string; value: string; not: boolean }

const escaped = (value: string) => '"' + value.replaceAll("\\", "\\\\").replaceAll('"', '\\"') + '"';
const quote = (value: string) => (/[\s"]/.test(value) ? escaped(value) : value);
export const termText = (term: Term) =>
  (term.not ? "-" : "") + (term.name === "q" ? quote(term.value) : `${term.name}:${quote(term.value)}`);

/** `not=type:a,actor:b`; a comma or per cent sign within a value is percent-encoded. */
function readNot(text: string): Term[] {
  return text.split(",").filter(Boolean).map((item) => {
    const colon = item.indexOf(":");
    let value = item.slice(colon + 1);
    try { value = decodeURIComponent(value); } catch { /* shown as it stands; the API says what is wrong */ }
    return { name: colon < 0 ? item : item.slice(0, colon), value, not: true };
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

// Words that would be read as something else stand in quotes.
const wordsText = (words: string) => (/(^|\s)-?[a-z_]+:|["\\]/.test(words) ? escaped(words) : words);
export function termsToText(terms: Term[]): string {
  return terms.map((term) => (term.name === "q" ? wordsText(term.value) : termText(term))).join(" ");
}

/** What the text means, or why it means nothing: then no filter is changed. */
export function textToTerms(text: string): { terms: Term[]; problem?: string } {
  const terms: Term[] = [];
  const words: string[] = [];
  const wrong = (problem: string) => ({ terms: [], problem });
  for (const found of text.matchAll(/(-?)([a-z_]+):(?:"((?:[^"\\]|\\.)*)"|(\S*))|"((?:[^"\\]|\\.)*)"|(\S+)/g)) {
    const [whole, minus, name, quoted, plain, phrase] = found;
    const unescape = (part: string) => part.replace(/\\(.)/g, "$1");
    if (name === undefined) { words.push(phrase === undefined ? whole : unescape(phrase)); continue; }
    const not = minus === "-";
    const value = quoted === undefined ? plain! : unescape(quoted);
    if (!(NAMES as readonly string[]).includes(name)) {
      return wrong(`${name}: is no filter. Filters are ${NAMES.join(", ")}; put "${whole}" in quotes to search for it.`);
    }
    if (value === "") return wrong(`${name}: has no value.`);
    if (not && !(EXCLUDABLE as readonly string[]).includes(name)) {
      return wrong(`-${name}: cannot be left out; only ${EXCLUDABLE.join(", ")} can.`);
    }
    if (!not && terms.some((term) => term.name === name && !term.not)) {
      return wrong(`${name}: is given twice, and no event has two.`);
    }
    terms.push({ name, value, not });
  }
  if (words.length) terms.push({ name: "q", value: words.join(" "), not: false });
  return { terms };
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
