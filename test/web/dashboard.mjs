// The dashboard as a reader uses it, in Debian's Chromium. Prints a line per check; exits 1 when one
// failed. node dashboard.mjs BASE LOGIN_URL TOKEN_FILE SCREENSHOT_FOLDER SQL_CLIENT…
import { readFileSync, mkdirSync } from "node:fs";
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const [base, login, tokenFile, shots, ...write] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const token = readFileSync(tokenFile, "utf8").trim();
mkdirSync(shots, { recursive: true });
let failed = 0;

async function check(what, act) {
  try {
    await act();
    console.log(`  ok    ${what}`);
  } catch (error) {
    failed++;
    console.log(`  FAIL  ${what}\n        ${String(error.message ?? error).split("\n").slice(0, 12).join("\n        ")}`);
    await page.screenshot({ path: `${shots}/failed-${failed}.png` }).catch(() => {});
  }
}
function same(actual, expected, what = "value") {
  if (actual !== expected) throw new Error(`${what} is ${JSON.stringify(actual)}, not ${JSON.stringify(expected)}`);
}
function truth(value, what) {
  if (!value) throw new Error(what);
}
/** Until `look` gives what is expected; page.waitForFunction would need eval, which the policy forbids. */
async function eventually(look, expected, what) {
  const until = Date.now() + 15_000;
  for (;;) {
    const found = await look().catch((error) => error.message);
    if (found === expected) return;
    if (Date.now() > until) same(found, expected, what);
    await page.waitForTimeout(50);
  }
}
const shownCount = async () => (await page.locator(".sentence strong").innerText()).replace(/\D/g, "");
const api = async (path) => (await fetch(base + path, { headers: { Authorization: `Bearer ${token}` } })).json();

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: process.getuid() === 0 ? ["--no-sandbox"] : [],
});
const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: "reduce", timezoneId: "Europe/Berlin" });
const page = await context.newPage();
page.setDefaultTimeout(15_000);
const complaints = [];
const outside = [];
page.on("pageerror", (error) => complaints.push(String(error)));
page.on("console", (message) => { if (message.type() === "error" && !/status of 40[014]/.test(message.text())) complaints.push(message.text()); });
page.on("request", (request) => { if (!request.url().startsWith(base) && !request.url().startsWith("data:")) outside.push(request.url()); });
const rows = () => page.locator(".tbody .tr");
const open = async (path, ready) => { await page.goto(base + path); await page.locator(ready).first().waitFor(); };

// axe through the debugger's own context: the page's policy forbids injected scripts, as it should.
async function accessible() {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }));
  if (violations.length) {
    throw new Error(violations.map((v) => `${v.id}: ${v.help} — ${v.nodes.slice(0, 3).map((n) => n.target.join(" ") + " " + (n.any[0]?.message ?? "")).join("; ")}`).join("\n"));
  }
}

await check("without a session the token is asked for", async () => {
  await open("/events", "#token");
  await accessible();
  await page.fill("#token", "rt_wrong");
  await page.click("button[type=submit]");
  await page.getByRole("alert").waitFor();
});
await check("the one-time link opens the dashboard", async () => {
  await page.goto(login);
  await rows().first().waitFor();
  const cookie = (await context.cookies()).find((c) => c.name === "rowtrail_session");
  truth(cookie?.httpOnly && cookie.sameSite === "Strict", "the cookie is not HttpOnly and SameSite=Strict");
});

const stats = await api("/v1/stats");
const newest = (await api("/v1/events?limit=1")).events[0];
const sale = stats.types.values.find((v) => v.value === "sale.completed");
await check("Events: the sentence counts what the API counts", async () => {
  await open("/events", ".tbody .tr");
  await eventually(shownCount, String(stats.events), "count");
  truth((await rows().first().innerText()).includes(newest.summary), "the first row is not the newest event");
});
await check("Events: a facet includes, − excludes, chips and query text follow", async () => {
  await page.locator(".facet .value", { hasText: "sale.completed" }).click();
  await page.waitForURL(/type=sale\.completed/);
  await eventually(shownCount, String(sale.count), "count");
  same(await page.locator(".query input").inputValue(), "type:sale.completed", "query text");
  await page.locator(".chip button").click();
  await page.waitForURL((url) => !url.searchParams.has("type"));
  await page.locator(".facet li", { hasText: "sale.completed" }).hover();
  await page.getByRole("button", { name: "Without sale.completed" }).click();
  await eventually(shownCount, String(stats.events - sale.count), "count");
  same(await page.locator(".chip").innerText().then((t) => t.replace(/[✕\s]/g, "")), "-type:sale.completed", "chip");
});
await check("Events: query text becomes the filter", async () => {
  const actor = stats.actors.values.find((v) => v.value).value;
  await page.locator(".query input").fill(`actor:${actor} -severity:info`);
  await page.keyboard.press("Enter");
  await page.waitForURL((url) => url.searchParams.get("actor") === actor && url.searchParams.get("not") === "severity:info");
  const expected = await api(`/v1/stats?actor=${encodeURIComponent(actor)}&not=severity:info`);
  await eventually(shownCount, String(expected.events), "count");
});
await check("Events: export holds exactly the filtered set", async () => {
  await open("/events?type=sale.completed", ".tbody .tr");
  await page.locator("summary[aria-label='Export these events']").click();
  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "JSON lines" }).click()]);
  const lines = readFileSync(await download.path(), "utf8").trim().split("\n").map((line) => JSON.parse(line));
  same(lines.length, sale.count, "number of lines");
  truth(lines.every((e) => e.type === "sale.completed"), "other types are in it");
});
await check("Events: chosen columns stay in the URL", async () => {
  await open("/events?cols=time,seq,type,summary", ".tbody .tr");
  same((await page.locator("[role=columnheader]").allInnerTexts()).join(), "Time,Seq,Type,What".split(",").join(), "columns");
});
await check("keyboard: j k Enter Esc x ? /", async () => {
  await open("/events", ".tbody .tr");
  await page.keyboard.press("j"); await page.keyboard.press("j"); await page.keyboard.press("k");
  same(await page.locator(".tbody .tr.current").count(), 1, "current rows");
  await page.keyboard.press("Enter");
  await page.locator(".panel .title").waitFor();
  await page.keyboard.press("Escape");
  await page.locator(".panel").waitFor({ state: "detached" });
  await page.keyboard.press("Enter"); await page.locator(".panel .title").waitFor();
  await page.keyboard.press("Enter"); await page.waitForURL(`**/events/${newest.seq}`);
  await page.goBack(); await page.locator(".panel .title").waitFor();
  await page.keyboard.press("?"); await page.locator("dialog[open]").waitFor();
  await accessible();
  await page.keyboard.press("Escape");
  await page.keyboard.press("/");
  await page.keyboard.type(String(newest.seq)); await page.keyboard.press("Enter");
  await page.waitForURL(`**/events/${newest.seq}`);
});
await check("Event: a deep link shows sentence, actor, rows before and after, the rule", async () => {
  const transfer = (await api("/v1/events?type=inventory.transfer&limit=1")).events[0];
  await open(`/events/${transfer.seq}`, ".change");
  same(await page.locator("h1").innerText(), transfer.summary, "sentence");
  same(await page.locator("section:has(h2:text('Changed')) .change").count(), transfer.evidence.length, "rows");
  truth(await page.locator(".val.removed").count() > 0 && await page.locator(".val.added").count() > 0, "no before and after");
  truth((await page.locator("article").innerText()).includes(transfer.rule.id), "the rule is not named");
});
await check("Event: words that changed are marked, text stays text, 2^64-1 is exact", async () => {
  const seq = (await api("/v1/events?table=big&order=desc&limit=1")).events[0].seq;
  await open(`/events/${seq}`, "ins mark");
  same(await page.locator("ins mark").innerText(), "red", "added words");
  same(await page.locator("del mark").innerText(), "brown", "removed words");
  truth((await page.locator(".change h3").first().innerText()).includes("18446744073709551615"), "the key was rounded");
  truth((await page.title()) !== "1" && (await page.locator("article img").count()) === 0, "a value became HTML");
  await page.locator(".change h3 a").click();
  await page.waitForURL(/\/rows\/pharmacy\/big/);
  await page.locator(".timeline .change").nth(1).waitFor();
  truth((await page.locator("h1").innerText()).includes("18446744073709551615"), "the row's title was rounded");
});
await check("Object: the timeline holds all its events", async () => {
  const object = (await api("/v1/objects/product/1?limit=1000")).events;
  await open("/objects/product/1", ".timeline .line");
  same(await page.locator(".timeline .line").count(), Math.min(object.length, 100), "lines");
});
await check("Today: the number of the day", async () => {
  await open("/today", ".big");
  const day = new Date().toISOString().slice(0, 10);
  const expected = await api(`/v1/stats?since=${day}T00:00:00Z`);
  same((await page.locator(".big").innerText()).replace(/\D/g, ""), String(expected.events), "events");
});
await check("Rules: hits of a rule", async () => {
  await open("/rules", ".plain");
  truth((await page.locator("tr", { hasText: "sale.completed" }).innerText()).replace(/\s/g, "").endsWith(String(sale.count)), "hits differ");
});
await check("Sources: position and log", async () => {
  await open("/sources", ".plain");
  truth((await page.locator("main").innerText()).includes("binlog."), "no position");
});
await check("times: UTC and local", async () => {
  await open("/events", ".tbody .tr");
  const utc = await page.locator(".tbody time").first().innerText();
  same(utc.slice(0, 8), newest.time.slice(11, 19), "UTC time");
  await page.getByRole("button", { name: "UTC" }).click();
  const local = await page.locator(".tbody time").first().innerText();
  truth(local !== utc, "local time equals UTC in Berlin");
  await page.getByRole("button", { name: "local" }).click();
});
await check("errors say what to do: unknown event, wrong filter", async () => {
  await open("/events/999999999", "[role=alert]");
  truth((await page.getByRole("alert").innerText()).includes("no event with seq"), "no reason");
  await open("/events?severity=urgent", "[role=alert]");
});
await check("an empty list says so", async () => {
  await open("/events?q=nothing+has+this+summary", ".notice.empty");
});

// Each view: axe in both themes, then the pictures.
const transfer = (await api("/v1/events?type=inventory.transfer&limit=1")).events[0];
const views = {
  events: ["/events", ".tbody .tr"], panel: [`/events?open=${transfer.seq}`, ".panel .change"], event: [`/events/${transfer.seq}`, ".change"],
  object: ["/objects/product/1", ".timeline .line"], objects: ["/objects", ".find"], rows: ["/rows", ".plain"],
  today: ["/today", ".compare"], rules: ["/rules", ".plain"], sources: ["/sources", ".plain"],
};
const sizes = { wide: [1440, 900], tablet: [900, 1100], phone: [390, 844] };
for (const theme of ["light", "dark"]) {
  await page.emulateMedia({ colorScheme: theme });
  for (const [size, [width, height]] of Object.entries(sizes)) {
    await page.setViewportSize({ width, height });
    for (const [name, [path, ready]] of Object.entries(views)) {
      await check(`axe finds nothing: ${name}, ${theme}, ${size}`, async () => {
        await open(path, ready);
        await page.waitForTimeout(150); // for the charts, which are drawn after layout
        truth(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "the page scrolls sideways");
        if ((size === "wide" || ["events", "event", "today"].includes(name)) && (theme === "light" || name === "events")) {
          await page.screenshot({ path: `${shots}/${name}-${theme}-${size}.png` });
        }
        await accessible();
      });
    }
  }
}
await page.setViewportSize({ width: 1440, height: 900 });
const insert = (id) => execFileSync(write[0], [...write.slice(1), `INSERT INTO pharmacy.big VALUES (${id}, 'live ${id}')`]);
await check("live: new events wait behind a button, or come by themselves", async () => {
  await open("/events", ".tbody .tr");
  insert(1);
  await page.getByRole("button", { name: "1 new" }).click();
  truth((await rows().first().innerText()).includes("big 1"), "the new event is not the first row");
  await page.keyboard.press("l");
  await page.waitForURL(/live=1/);
  insert(2);
  await page.locator(".tbody .tr", { hasText: "big 2" }).waitFor();
  same(await page.getByRole("button", { name: /new$/ }).count(), 0, "buttons for new events");
});
await check("nothing was asked of other hosts", async () => same(outside.join(), "", "requests"));
await check("the console is quiet", async () => same(complaints.join("\n"), "", "errors"));

await browser.close();
process.exit(failed ? 1 : 0);
