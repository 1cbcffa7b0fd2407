// The dashboard as a reader uses it, in Debian's Chromium. Prints a line per check; exits 1 when one
// failed. node dashboard.mjs BASE LOGIN_URL TOKEN_FILE SCREENSHOT_FOLDER SQL_CLIENT…
// Without an SQL client it only takes the pictures.
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
  if (write.length === 0 && !/one-time link|^axe/.test(what)) return;
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
page.on("console", (message) => { if (message.type() === "error" && !/status of (40[014]|503)|ERR_FAILED/.test(message.text())) complaints.push(message.text()); });
page.on("request", (request) => { if (!request.url().startsWith(base) && !request.url().startsWith("data:")) outside.push(request.url()); });
const rows = () => page.locator(".tbody .tr");
const open = async (path, ready) => { await page.goto(base + path); await page.locator(ready).first().waitFor(); };

// axe through the debugger's own context: the page's policy forbids injected scripts, as it should.
async function accessible() {
  if (write.length === 0) return;
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
  await page.waitForURL(/\/rows\/pharmacy\/big\/18446744073709551615\?source=pharmacy/);
  await page.locator(".timeline .change").nth(1).waitFor();
  truth((await page.locator("h1").innerText()).includes("18446744073709551615"), "the row's title was rounded");
});
await check("Object: the timeline holds all its events", async () => {
  const object = (await api("/v1/objects/product/1?limit=1000")).events;
  await open("/objects/product/1", ".timeline .line");
  same(await page.locator(".timeline .line").count(), Math.min(object.length, 100), "lines");
});
await check("Row: a key with leading zeros, its move and what the row was then", async () => {
  await open("/rows", "input[name=key]");
  await page.fill("input[name=table]", "pharmacy.label");
  await page.fill("input[name=key]", "007");
  await page.getByRole("button", { name: "Show its history" }).click();
  await page.waitForURL(/\/rows\/pharmacy\/label\/007/);
  await page.locator(".timeline .change").nth(1).waitFor();
  same(await page.locator(".timeline .change").count(), 2, "changes of 007: made, and moved to 008");
  truth((await page.locator(".facts").first().innerText()).includes("no such row"), "the moved row is still there");
  await page.getByRole("link", { name: "the row then" }).last().click();
  await page.locator(".state dd", { hasText: "first" }).waitFor();
});
await check("an error of one page does not stand beside the rows of another", async () => {
  await open(`/events/${newest.seq}`, ".event");
  await page.keyboard.press("/"); await page.keyboard.type("999999999"); await page.keyboard.press("Enter");
  await page.getByRole("alert").waitFor();
  same(await page.locator(".event").count(), 0, "events shown");
});
await check("addresses that mean nothing are answered in words", async () => {
  await open("/today?date=2026-13-01", "[role=alert]");
  truth((await page.getByRole("alert").innerText()).includes("2026-13-01"), "the day is not named");
  await open("/events?not=type:50%25", ".explorer");
  await page.getByRole("button", { name: "Columns" }).or(page.locator("summary[aria-label='Choose columns']")).first().waitFor();
});
await check("a view that stumbles leaves the frame standing", async () => {
  await page.route("**/v1/stats*", (route) => route.fulfill({ json: {} }));
  await open("/objects", "[role=alert]");
  await page.getByText("This view cannot be shown").waitFor();
  await page.unroute("**/v1/stats*");
  await page.getByRole("link", { name: "Sources" }).click();
  await page.getByText("Capture is live").waitFor();
});
await check("query text that would mean something else is refused, and said why", async () => {
  await open("/events", ".tbody .tr");
  for (const [text, words] of [["sev:high", "is no filter"], ["-table:stock", "cannot be left out"], ["type:a type:b", "twice"]]) {
    await page.locator(".query input").fill(text);
    await page.keyboard.press("Enter");
    await eventually(async () => (await page.locator("#query-problem").innerText()).includes(words), true, `reason for ${text}`);
    same(new URL(page.url()).search, "", "query in the URL");
  }
});
await check("Events: a brush over the bars narrows to their time", async () => {
  await open("/events", ".histogram canvas");
  const box = await page.locator(".histogram .u-over").boundingBox();
  await page.mouse.move(box.x + box.width - 60, box.y + 20);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width - 1, box.y + 30, { steps: 4 });
  await page.mouse.up();
  await page.waitForURL((url) => url.searchParams.has("since") && url.searchParams.has("until"));
  const query = new URL(page.url()).searchParams;
  const expected = await api(`/v1/stats?since=${query.get("since")}&until=${query.get("until")}`);
  truth(expected.events > 0 && expected.events <= stats.events, "the span holds nothing");
  await eventually(shownCount, String(expected.events), "count");
});
await check("Events: a saved view brings back its filters", async () => {
  await open("/events?type=sale.completed&cols=time,summary", ".tbody .tr");
  await page.locator("summary[aria-label='Saved views']").click();
  await page.fill(".save input", "only sales");
  await page.keyboard.press("Enter");
  await open("/events", ".tbody .tr");
  await page.locator("summary[aria-label='Saved views']").click();
  await page.getByRole("link", { name: "only sales" }).click();
  await page.waitForURL(/type=sale\.completed&cols=/);
  await eventually(shownCount, String(sale.count), "count");
});
await check("Events: Back finds the rows and the place among them", async () => {
  await open("/events", ".tbody .tr");
  for (let at = 0; at < 4; at++) {
    await page.locator(".table").evaluate((box) => { box.scrollTop = box.scrollHeight; });
    await page.waitForTimeout(300);
  }
  await page.locator(".table").evaluate((box) => { box.scrollTop = 4000; });
  await eventually(() => page.locator(".table").evaluate((box) => box.scrollTop), 4000, "place");
  const link = page.locator(".tbody .tr").nth(14).locator(".c-summary a");
  const words = await link.innerText();
  await link.click();
  await page.getByRole("link", { name: "Full page" }).click();
  await page.locator("article h1").waitFor();
  await page.goBack();
  await page.locator(".tbody .tr", { hasText: words }).first().waitFor();
  await eventually(() => page.locator(".table").evaluate((box) => box.scrollTop), 4000, "place after Back");
});
await check("Today: the number of the day", async () => {
  await open("/today", ".big");
  const day = new Date().toISOString().slice(0, 10);
  const expected = await api(`/v1/stats?since=${day}T00:00:00Z`);
  same((await page.locator(".big").innerText()).replace(/\D/g, ""), String(expected.events), "events");
  same(await page.locator("th", { hasText: /^Day before, to \d\d:\d\d$/ }).count(), 2, "columns of the day before, up to this time of day");
  const loud = await api(`/v1/events?since=${day}T00:00:00Z&not=severity:info,severity:low,severity:medium&limit=1000`);
  truth(loud.events.some((e) => e.severity === "critical"), "nothing critical to look for");
  same(await page.locator("section:has(h2:text('High and critical')) .line").count(), Math.min(5, loud.events.length), "events of high severity and above");
});
await check("Today: a first day is compared with nothing", async () => {
  const first = (await api("/v1/events?order=asc&limit=1")).events[0].time.slice(0, 10);
  await open(`/today?date=${first}`, ".compare");
  await page.getByText("none the day before").waitFor();
  same(await page.locator("th", { hasText: "Day before" }).count(), 0, "columns of the day before, which is empty");
});
await check("Rules: text and hits of a rule; an event leads to its rule", async () => {
  const { rules } = await api("/v1/rules");
  const rule = rules.find((r) => r.event === "sale.completed");
  await open("/rules", ".plain");
  truth((await page.locator("tr", { hasText: "sale.completed" }).innerText()).replace(/\s/g, "").endsWith(String(sale.count)), "hits differ");
  await open(`/events/${(await api("/v1/events?type=sale.completed&limit=1")).events[0].seq}`, ".event");
  await page.getByRole("link", { name: rule.id }).click();
  await page.waitForURL((url) => url.searchParams.get("rule") === rule.id);
  await page.locator(".rule .sql").waitFor();
  same((await page.locator(".rule .sql").innerText()).trim(), rule.text.trim(), "text of the rule");
  await eventually(async () => (await page.locator(".rule strong").innerText()).replace(/\D/g, ""), String(sale.count), "hits of the rule");
  await open("/rules?rule=nonsense", "[role=alert]");
});
await check("Process: map, steps and variants say what the API says, and lead to events", async () => {
  const map = await api("/v1/process?object_type=prescription");
  await open("/process?of=prescription", ".map svg");
  same((await page.locator(".lead strong").innerText()).replace(/\D/g, ""), String(map.objects), "objects");
  same(await page.locator(".map a").count(), map.activities.length, "events in the map");
  same(await page.locator(".map .way-label").count(), map.paths.length, "steps in the map");
  truth(map.paths.some((p) => p.from === "prescription.created" && p.to === "prescription.filled" && p.median_s > 0), "no step from created to filled");
  same(await page.locator(".variants li").count(), map.variants.length, "variants");
  await page.locator(".variants button").first().click();
  await page.getByText("Only the variant of").waitFor();
  same(await page.locator(".map a").count(), new Set(map.variants[0].activities).size, "events of the variant");
  await page.getByRole("link", { name: "Show all" }).click();
  await page.locator(".map").getByRole("link", { name: /^prescription\.filled/ }).click();
  await page.waitForURL(/\/events\?type=prescription\.filled/);
  await eventually(shownCount, String(map.activities.find((a) => a.type === "prescription.filled").events), "count");
});
await check("Sources: position and log", async () => {
  await open("/sources", ".plain");
  truth((await page.locator("main").innerText()).includes("binlog."), "no position");
});
await check("times: UTC and local", async () => {
  await open("/events", ".tbody .tr");
  const utc = await page.locator(".tbody time").nth(1).innerText();
  same(utc.slice(0, 8), (await api("/v1/events?limit=2")).events[1].time.slice(11, 19), "UTC time");
  same((await page.locator(".tbody .day").first().innerText()).trim(), new Date(newest.time).toLocaleDateString("en-GB", { weekday: "short", day: "numeric", month: "short", timeZone: "UTC" }), "day of the first row");
  await page.getByRole("button", { name: "UTC" }).click();
  await page.waitForURL(/tz=local/);
  await page.getByRole("link", { name: "Today" }).click();
  await page.waitForURL(/\/today\?tz=local/);
  await page.goBack();
  const local = await page.locator(".tbody time").nth(1).innerText();
  truth(local !== utc, "local time equals UTC in Berlin");
  await page.getByRole("button", { name: "local" }).click();
  await page.waitForURL((url) => !url.searchParams.has("tz"));
});
await check("single keys can be switched off", async () => {
  await open("/events", ".tbody .tr");
  await page.keyboard.press("j");
  same(await page.locator("[aria-current=true]:focus").count(), 1, "rows with the focus");
  await page.keyboard.press("?");
  await page.getByLabel(/Single keys act/).uncheck();
  await page.keyboard.press("Escape");
  await page.keyboard.press("l");
  truth(!page.url().includes("live=1"), "l still acts");
  await page.getByRole("button", { name: "Keyboard" }).click();
  await page.getByLabel(/Single keys act/).check();
  await page.keyboard.press("Escape");
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
  today: ["/today", ".compare"], process: ["/process", ".map svg"], rule: ["/rules?rule=sale-completed", ".rule .sql"], rules: ["/rules", ".plain"], sources: ["/sources", ".plain"],
};
const sizes = { wide: [1440, 900], tablet: [900, 1100], phone: [390, 844] };
for (const theme of ["light", "dark"]) {
  await page.emulateMedia({ colorScheme: theme });
  for (const [size, [width, height]] of Object.entries(sizes)) {
    await page.setViewportSize({ width, height });
    for (const [name, [path, ready]] of Object.entries(views)) {
      await check(`axe finds nothing: ${name}, ${theme}, ${size}`, async () => {
        await open(path, ready);
        await page.waitForTimeout(write.length ? 150 : 1000); // for the charts, which are drawn after layout
        truth(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), "the page scrolls sideways");
        truth(await page.locator(".health .state").evaluate((it) => it.scrollWidth <= it.clientWidth), "the state of capture is cut");
        if (size !== "phone") truth(await page.locator("nav").evaluate((it) => it.scrollWidth <= it.clientWidth), "the list of views is cut");
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
await check("live: what is chosen and read stays where it is when rows come above", async () => {
  await open("/events?live=1", ".tbody .tr");
  await page.keyboard.press("j");
  const chosen = await page.locator("[aria-current=true] .c-summary").innerText();
  insert(3);
  await page.locator(".tbody .tr", { hasText: "big 3" }).waitFor();
  same(await page.locator("[aria-current=true] .c-summary").innerText(), chosen, "the chosen row");
  await page.locator(".table").evaluate((box) => { box.scrollTop = 640; });
  await page.waitForTimeout(100);
  const place = () => page.locator(".table").evaluate((box) => box.scrollTop);
  insert(4);
  await eventually(place, 672, "place, one row further down");
});
await check("live: excluded events stay out", async () => {
  const type = (await api("/v1/events?limit=1")).events[0].type;
  await open(`/events?live=1&not=type:${type}`, ".tbody .tr");
  const first = await rows().first().innerText();
  insert(5);
  await eventually(async () => (await api("/v1/events?limit=1")).events[0].summary.includes("big 5"), true, "recorded");
  await page.waitForTimeout(1000);
  same(await rows().first().innerText(), first, "first row");
});
await check("live: a stream that was cut is said, and comes back without a gap", async () => {
  await page.route("**/v1/stream*", (route) => route.fulfill({ status: 503, body: "" }));
  await open("/events", ".tbody .tr");
  await page.getByText("live tail stopped").waitFor();
  insert(6);
  await page.unroute("**/v1/stream*");
  await page.getByRole("button", { name: "1 new" }).click();
  same(await page.getByText("live tail stopped").count(), 0, "says it is stopped");
});
await check("live: a hidden page holds no connection", async () => {
  await open("/events", ".tbody .tr");
  const hide = (hidden) => page.evaluate((on) => {
    Object.defineProperty(document, "hidden", { configurable: true, get: () => on });
    document.dispatchEvent(new Event("visibilitychange"));
  }, hidden);
  const closed = page.waitForEvent("requestfailed", (request) => request.url().includes("/v1/stream"));
  await hide(true);
  await closed;
  insert(7);
  await hide(false);
  await page.getByRole("button", { name: "1 new" }).waitFor();
});
await check("Sources: a server that is gone is not live; slow answers are waited for", async () => {
  await open("/sources", ".plain");
  await page.getByText("Capture is live").waitFor();
  await page.route("**/v1/status", (route) => route.abort());
  await page.getByRole("alert").waitFor();
  same(await page.getByText("Capture is live").count(), 0, "claims to be live");
  await page.unroute("**/v1/status");
  await page.getByText("Capture is live").waitFor();
  let open_ = 0, most = 0, answered = 0;
  await page.route("**/v1/status", async (route) => {
    most = Math.max(most, ++open_);
    await new Promise((done) => setTimeout(done, 3000));
    open_--; answered++;
    await route.continue();
  });
  await eventually(async () => answered >= 2, true, "slow answers");
  truth(most <= 2, `${most} questions at once: the view and the header ask one each`);
  await page.unroute("**/v1/status");
});
await check("logging out ends the session; a session that ended leads to the login", async () => {
  await open("/events", ".tbody .tr");
  await page.getByRole("button", { name: "Log out" }).click();
  await page.locator("#token").waitFor();
  await page.reload();
  await page.locator("#token").waitFor();
  await page.fill("#token", token);
  await page.click("button[type=submit]");
  await rows().first().waitFor();
  await context.clearCookies();
  // The page may notice by itself, before the click.
  const login = () => page.locator("#token").waitFor();
  await Promise.race([login(), page.getByRole("link", { name: "Today" }).click().then(login)]);
});
await check("nothing was asked of other hosts", async () => same(outside.join(), "", "requests"));
await check("the console is quiet", async () => same(complaints.join("\n"), "", "errors"));

await browser.close();
process.exit(failed ? 1 : 0);
