// Which words of a text changed: the longest common subsequence of its words, for texts short enough
// to be read; beyond that common ends are set apart and the middle is marked whole.

export interface Piece { text: string; kind: "same" | "removed" | "added" }

const WORDS_MAX = 400;

export function wordDiff(before: string, after: string): Piece[] {
  const a = before.match(/\w+|\s+|[^\w\s]/gu) ?? [];
  const b = after.match(/\w+|\s+|[^\w\s]/gu) ?? [];
  let head = 0;
  while (head < a.length && head < b.length && a[head] === b[head]) head++;
  let tail = 0;
  while (tail < a.length - head && tail < b.length - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail++;
  const pieces: Piece[] = [];
  const push = (text: string, kind: Piece["kind"]) => {
    if (!text) return;
    const last = pieces[pieces.length - 1];
    if (last?.kind === kind) last.text += text;
    else pieces.push({ text, kind });
  };
  push(a.slice(0, head).join(""), "same");
  const x = a.slice(head, a.length - tail);
  const y = b.slice(head, b.length - tail);
  if (x.length > WORDS_MAX || y.length > WORDS_MAX) {
    push(x.join(""), "removed");
    push(y.join(""), "added");
  } else {
    const width = y.length + 1;
    const table = new Uint16Array((x.length + 1) * width);
    for (let i = x.length - 1; i >= 0; i--) {
      for (let j = y.length - 1; j >= 0; j--) {
        table[i * width + j] = x[i] === y[j]
          ? table[(i + 1) * width + j + 1]! + 1
          : Math.max(table[(i + 1) * width + j]!, table[i * width + j + 1]!);
      }
    }
    let i = 0, j = 0;
    while (i < x.length || j < y.length) {
      if (i < x.length && j < y.length && x[i] === y[j]) { push(x[i]!, "same"); i++; j++; }
      else if (i < x.length && (j === y.length || table[(i + 1) * width + j]! >= table[i * width + j + 1]!)) push(x[i++]!, "removed");
      else push(y[j++]!, "added");
    }
  }
  push(a.slice(a.length - tail).join(""), "same");
  return pieces;
}
