// JSON without loss: an integer beyond 2^53-1 becomes a BigInt, so 18446744073709551615 stays what it
// is, and a number that would be written otherwise (1.0, 1e400, long decimals) keeps its text. Texts
// without such a number take the browser's own parser.

/** A number that remembers how it was written; calculates like any other. */
export class Written extends Number {
  constructor(readonly text: string) { super(Number(text)); }
  override toString(): string { return this.text; }
}
export type Json = null | boolean | number | bigint | Written | string | Json[] | { [name: string]: Json };

// Sixteen digits, a decimal that ends in 0, an exponent, -0; in a string too, which costs only time.
const UNUSUAL = /[\d.]{16}|\.\d*0(?!\d)|\d[eE]|-0/;

export function parseJson(text: string): Json {
  if (!UNUSUAL.test(text)) return JSON.parse(text) as Json;
  const [value, end] = readValue(text, skipSpace(text, 0));
  if (skipSpace(text, end) !== text.length) throw new SyntaxError("more than one JSON value");
  return value;
}

function skipSpace(text: string, at: number): number {
  while (at < text.length && text.charCodeAt(at) <= 32) at++;
  return at;
}

const NUMBER = /-?\d+(\.\d+)?([eE][+-]?\d+)?/y;
const STRING = /"(?:[^"\\]|\\.)*"/y;
const WORD = /true|false|null/y;

function match(pattern: RegExp, text: string, at: number): string {
  pattern.lastIndex = at;
  const found = pattern.exec(text);
  if (!found) throw new SyntaxError(`not JSON at character ${at}`);
  return found[0];
}

function readValue(text: string, at: number): [Json, number] {
  const first = text[at];
  if (first === "{") return readObject(text, at);
  if (first === "[") return readArray(text, at);
  if (first === '"') {
    const token = match(STRING, text, at);
    return [JSON.parse(token) as string, at + token.length];
  }
  if (first === "t" || first === "f" || first === "n") {
    const token = match(WORD, text, at);
    return [JSON.parse(token) as boolean | null, at + token.length];
  }
  const token = match(NUMBER, text, at);
  const number = Number(token);
  if (!Number.isSafeInteger(number) && /^-?\d+$/.test(token)) return [BigInt(token), at + token.length];
  return [String(number) === token ? number : new Written(token), at + token.length];
}

function readObject(text: string, at: number): [Json, number] {
  const object: { [name: string]: Json } = {};
  at = skipSpace(text, at + 1);
  if (text[at] === "}") return [object, at + 1];
  for (;;) {
    const token = match(STRING, text, at);
    at = skipSpace(text, at + token.length);
    if (text[at] !== ":") throw new SyntaxError(`':' is missing at character ${at}`);
    const [value, end] = readValue(text, skipSpace(text, at + 1));
    Object.defineProperty(object, JSON.parse(token) as string, {
      value, enumerable: true, writable: true, configurable: true,
    });
    at = skipSpace(text, end);
    if (text[at] === "}") return [object, at + 1];
    if (text[at] !== ",") throw new SyntaxError(`',' is missing at character ${at}`);
    at = skipSpace(text, at + 1);
  }
}

function readArray(text: string, at: number): [Json, number] {
  const array: Json[] = [];
  at = skipSpace(text, at + 1);
  if (text[at] === "]") return [array, at + 1];
  for (;;) {
    const [value, end] = readValue(text, at);
    array.push(value);
    at = skipSpace(text, end);
    if (text[at] === "]") return [array, at + 1];
    if (text[at] !== ",") throw new SyntaxError(`',' is missing at character ${at}`);
    at = skipSpace(text, at + 1);
  }
}

/** The inverse of parseJson; `indent` spaces per level. */
export function toJson(value: Json | undefined, indent = 0, level = 0): string {
  if (value === undefined) return "null";
  if (typeof value === "bigint" || value instanceof Written) return value.toString();
  if (value === null || typeof value !== "object") return JSON.stringify(value);
  const open = indent ? "\n" + " ".repeat(indent * (level + 1)) : "";
  const close = indent ? "\n" + " ".repeat(indent * level) : "";
  const items = Array.isArray(value)
    ? value.map((item) => toJson(item, indent, level + 1))
    : Object.entries(value).map(
        ([name, item]) => JSON.stringify(name) + (indent ? ": " : ":") + toJson(item, indent, level + 1),
      );
  const [left, right] = Array.isArray(value) ? ["[", "]"] : ["{", "}"];
  return items.length === 0 ? left + right : left + open + items.join("," + open) + close + right;
}
