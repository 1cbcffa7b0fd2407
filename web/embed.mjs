// Turns the built dashboard into data of the binary: every file gzip-packed once, pulled in by the
// assembler's .incbin, and one C++ table of them (server/dashboard.h). Run by CMake:
//   node embed.mjs DIST OUT
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";

const TYPES = {
  html: "text/html; charset=utf-8",
  js: "text/javascript; charset=utf-8",
  css: "text/css; charset=utf-8",
  svg: "image/svg+xml",
};
const [dist, out] = process.argv.slice(2);
if (!dist || !out) throw new Error("usage: node embed.mjs DIST OUT");
mkdirSync(out, { recursive: true });

const files = readdirSync(dist, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
  .sort();
if (!files.some((file) => file.endsWith(".js"))) {
  throw new Error(`${dist} holds no script: is the build broken, or Node older than 18.17 (readdir without recursive)?`);
}

let assembly = "";
let declarations = "";
let rows = "";
files.forEach((file, index) => {
  const name = relative(dist, file).replaceAll("\\", "/");
  const type = TYPES[name.split(".").pop()];
  if (!type) throw new Error(`${name}: no content type is known for it; add it in embed.mjs`);
  const content = readFileSync(file);
  const etag = createHash("sha256").update(content).digest("hex").slice(0, 24);
  const packed = join(out, `${etag}.gz`);
  writeFileSync(packed, gzipSync(content, { level: 9 }));
  const symbol = `rowtrail_asset_${index}`;
  assembly +=
    `    ".global ${symbol}\\n${symbol}:\\n.incbin \\"${packed}\\"\\n"\n` +
    `    ".global ${symbol}_end\\n${symbol}_end:\\n"\n`;
  declarations += `extern const char ${symbol}[];\nextern const char ${symbol}_end[];\n`;
  rows +=
    `      {"/${name}", "${type}", "${etag}", {${symbol}, ${symbol}_end}, ${content.length}, ` +
    `${name.startsWith("assets/")}},\n`;
});

writeFileSync(
  join(out, "dashboard_assets.cpp"),
  `// Made by web/embed.mjs from the built dashboard.
#include "server/dashboard.h"

__asm__(
    ".pushsection .rodata\\n"
${assembly}    ".popsection\\n");
extern "C" {
${declarations}}

namespace rowtrail::server {

std::span<const Asset> dashboard_assets() {
  static const Asset table[] = {
${rows}  };
  return table;
}

}  // namespace rowtrail::server
`,
);
