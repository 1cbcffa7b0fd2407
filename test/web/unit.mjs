// The dashboard's own arithmetic, without a browser: exact JSON, the query language, keys in URLs.
// Prints a line per check; exits 1 when one failed. node unit.mjs
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const web = fileURLToPath(new URL("../../web/", import.meta.url));
const { build } = createRequire(web)("esbuild");
const { outputFiles } = await build({
  stdin: {
    contents: `export * from "./json"; export * from "./query"; export { keyInUrl, rowKeyInUrl, named } from "./api";
      export { isDay, shiftDay } from "./format"; export * from "./diff"; export * from "./process";`,
    resolveDir: web + "src",
  },
  bundle: true, format: "esm", write: false, platform: "neutral", mainFields: ["module", "main"],
});
const it = await import("data:text/javascript," + encodeURIComponent(outputFiles[0].text));

let failed = 0;
function check(what, actual, expected) {
  const show = (value) => JSON.stringify(value, (_, v) => (typeof v === "bigint" ? `${v}n` : v));
  if (show(actual) === show(expected)) return console.log(`  ok    ${what}`);
  failed++;
  console.log(`  FAIL  ${what}: ${show(actual)}, not ${show(expected)}`);
}

for (const text of ['{"a":18446744073709551615}', "[1.0,1.10,0.1]", "1e400", "-0", "123456789.123456789", '{"t":"10:00:00.120","e":1E5}',
  "0.1000000000000000055511151231257827", "[]", '{"__proto__":1.50}', "[1,-2,3.5,null,true]"]) {
  check(`JSON comes out as it went in: ${text}`, it.toJson(it.parseJson(text)), text);
}
check("a number kept as written still calculates", it.parseJson("1.50") * 2, 3);
check("an integer beyond 2^53 is exact", String(it.parseJson("9007199254740993")), "9007199254740993");

const terms = (text) => it.textToTerms(text).terms?.map(it.termText);
check("text becomes terms", terms('type:sale.completed -actor:"anna b" since:24h two words'), ["type:sale.completed", '-actor:"anna b"', "since:24h", '"two words"']);
check("terms become text and terms again", terms(it.termsToText(it.textToTerms('"sev:high" "a\\"b"').terms)), terms('"sev:high" "a\\"b"'));
check("quoted words are searched", it.textToTerms('"sev:high"').terms, [{ name: "q", value: "sev:high", not: false }]);
for (const [text, part] of [["sev:high", "is no filter"], ["-table:stock", "cannot be left out"], ["type:a type:b", "twice"], ["type:", "no value"]]) {
  check(`${text} is refused with a reason`, it.textToTerms(text).problem?.includes(part), true);
}
const not = new URLSearchParams({ not: "type:50%25,actor:a%2Cb" });
check("exclusions are decoded", it.termsOf(not).map((t) => t.value), ["50%", "a,b"]);
check("and written back", it.changesFor(it.termsOf(not)).not, "type:50%25,actor:a%2Cb");
check("a broken escape is no error", it.termsOf(new URLSearchParams({ not: "type:50%" })).map((t) => t.value), ["50%"]);

const decode = (key) => Buffer.from(key.slice(1), "base64url").toString();
check("a plain key stays plain", it.rowKeyInUrl({ id: 7 }), "7");
check("leading zeros stay", it.rowKeyInUrl({ code: "007" }), "007");
check("a large key is exact", it.rowKeyInUrl(it.parseJson('{"id":18446744073709551615}')), "18446744073709551615");
check("several columns are an array", decode(it.rowKeyInUrl({ a: 7, b: "x" })), '[7,"x"]');
check("a text that looks like an array is a text", decode(it.rowKeyInUrl({ a: "[1]" })), '["[1]"]');
check("dots and nothing do not get lost in a path", [".", "..", ""].map((id) => decode(it.keyInUrl(id))), ['["."]', '[".."]', '[""]']);

const values = (n) => Array.from({ length: n }, (_, i) => ({ value: `v${i}`, count: 1 }));
check("people are those with a name", it.named({ distinct: 3, values: [...values(2), { value: "", count: 1 }] }), "2");
check("beyond the most frequent it says at least", it.named({ distinct: 60, values: values(50) }), "at least 59");
check("days that are none", ["2026-13-01", "2026-02-30", "x", "2026-02-28"].map(it.isDay), [false, false, false, true]);
check("the words that changed", it.wordDiff("the brown fox", "the red fox").map((p) => p.kind + p.text), ["samethe ", "removedbrown", "addedred", "same fox"]);

const way = (from, to, count) => ({ from, to, count, median_s: 60, example: "1" });
const map = {
  activities: [["a", 60], ["b", 30], ["c", 10]].map(([type, events]) => ({ type, events, first: type === "a" ? 60 : 0, last: type === "c" ? 10 : 0 })),
  paths: [way("a", "b", 20), way("b", "c", 5), way("a", "a", 1)],
};
check("a map shows the events that make up the share asked for", it.simplify(map, 80, 100).activities.map((a) => a.type), ["a", "b"]);
check("and no way from or to what it leaves out", it.simplify(map, 80, 100).paths.map((p) => p.from + p.to), ["ab", "aa"]);
check("no event is left without a way in", it.simplify(map, 100, 10).paths.map((p) => p.from + p.to), ["ab", "bc"]);
check("everything at 100 %", it.simplify(map, 100, 100).paths.length, 3);
const variant = it.ofVariant({ activities: ["a", "b", "a", "b"], cut: false, objects: 4, median_s: 1, example: "9" }, map.paths);
check("a variant counts each of its steps", variant.paths.map((p) => [p.from + p.to, p.count]), [["ab", 8], ["ba", 4]]);
const drawing = it.draw(map, (text) => text.length * 7, (path) => String(path.count));
check("every event and way is drawn, with start and end", [drawing.boxes.length, drawing.arrows.length], [5, 4]);
check("a way from an event to itself stands in its box", drawing.boxes.find((box) => box.id === "a").again.count, 1);
const left = (id) => drawing.boxes.find((box) => box.id === id).x;
check("from left to right", [left(it.START) < left("a"), left("a") < left("b"), left("b") < left("c"), left("c") < left(it.END)], [true, true, true, true]);

process.exit(failed ? 1 : 0);
