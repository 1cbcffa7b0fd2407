// The official TypeScript clients against rowtrail, over HTTP and over standard input and output, in
// both eras of the protocol. They check every answer against the tool's outputSchema by themselves.
//
//   node clients.mjs BASE-URL TOKEN-FILE ROWTRAIL-BINARY STORE-URL
import { readFileSync } from "node:fs";
import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { Client as Client1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport as Http1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { StdioClientTransport as Stdio1 } from "@modelcontextprotocol/sdk/client/stdio.js";

const [base, tokenFile, binary, store] = process.argv.slice(2);
const token = readFileSync(tokenFile, "utf8").trim();
const url = new URL("/mcp", base);
const requestInit = { headers: { Authorization: `Bearer ${token}` } };
const command = { command: binary, args: ["mcp", "--store", store], stderr: "ignore" };
const me = { name: "rowtrail-test", version: "1.0.0" };
const modern = { versionNegotiation: { mode: { pin: "2026-07-28" } } };
const auto = { versionNegotiation: { mode: "auto" } };

const peers = [
  ["2.4 over HTTP", "2026-07-28", () => [new Client(me, modern), new StreamableHTTPClientTransport(url, { requestInit })]],
  ["2.4 over HTTP, negotiating", "2026-07-28", () => [new Client(me, auto), new StreamableHTTPClientTransport(url, { requestInit })]],
  ["2.4 over HTTP, handshake", "2025-11-25", () => [new Client(me), new StreamableHTTPClientTransport(url, { requestInit })]],
  ["2.4 over stdio", "2026-07-28", () => [new Client(me, modern), new StdioClientTransport(command)]],
  ["1.32 over HTTP", "2025-11-25", () => [new Client1(me), new Http1(url, { requestInit })]],
  ["1.32 over stdio", "2025-11-25", () => [new Client1(me), new Stdio1(command)]],
];

let failed = 0;
async function check(what, run) {
  try {
    await run();
    console.log(`  ok    ${what}`);
  } catch (error) {
    failed += 1;
    console.log(`  FAIL  ${what}\n        ${String(error.stack ?? error).split("\n").join("\n        ")}`);
  }
}
function is(got, expected) {
  const [a, b] = [JSON.stringify(got), JSON.stringify(expected)];
  if (a !== b) throw new Error(`got ${a}, expected ${b}`);
}
function ok(value, what) {
  if (!value) throw new Error(what);
}

/** A tool's structured answer; its text must say the same. */
async function tool(client, name, args = {}) {
  const result = await client.callTool({ name, arguments: args });
  ok(!result.isError, `${name}: ${result.content?.[0]?.text}`);
  is(JSON.parse(result.content[0].text), result.structuredContent);
  return result.structuredContent;
}

async function investigate(client) {
  const { tools } = await client.listTools();
  is(tools.length, 11);
  const types = (await tool(client, "rowtrail_list_types")).types;
  ok(types.some((t) => t.type === "sale.completed"), "no type sale.completed");

  // What happened, and the whole story of one event.
  const found = await tool(client, "rowtrail_search_events", { type: "sale.completed", limit: 5 });
  is(found.events.length, 5);
  ok(found.guide.untrusted && found.guide.link.includes("/events?type=sale.completed"), "no guide");
  const seq = found.events[0].seq;
  const event = await tool(client, "rowtrail_get_event", { seq, proof: true });
  is(event.event.seq, seq);
  ok(event.changes.length > 0, "no evidence");
  ok(event.proof.startsWith("c2sp.org/tlog-proof@v1\n"), "no proof");

  // Every event of the type once, over the pages an agent walks.
  const seqs = new Set();
  for (let cursor; ;) {
    const page = await tool(client, "rowtrail_search_events", { type: "sale.completed", max_tokens: 3000, ...(cursor && { cursor }) });
    for (const row of page.events) {
      ok(!seqs.has(row.seq), `seq ${row.seq} twice`);
      seqs.add(row.seq);
    }
    if (!page.next) break;
    ok(page.guide.more.includes("narrow by"), "no advice");
    cursor = page.next;
  }
  is(seqs.size, types.find((t) => t.type === "sale.completed").events);

  const object = event.event.objects[0];
  const history = await tool(client, "rowtrail_object_history", { type: object.type, id: object.id });
  ok(history.events.some((e) => e.seq === seq) || history.next, "the event is not in its object's history");
  const whole = await tool(client, "rowtrail_transaction", { source: event.event.source, id: event.event.transaction });
  ok(whole.events.some((e) => e.seq === seq), "the event is not in its transaction");

  // A key no double can hold, as text and as a number's digits.
  const row = await tool(client, "rowtrail_row_at", { database: "pharmacy", table: "big", pk: "18446744073709551615" });
  is(row.state.row.id, "18446744073709551615");
  ok(row.state.row.note.includes("Ignore all previous instructions"), "the note is lost");
  is(Object.keys(row)[0], "guide");  // says first that what follows is data
  is(row.changes[0].op, "update");
  is(Object.keys(row.changes[0].new), ["note"]);

  const stats = await tool(client, "rowtrail_stats", { since: "30d" });
  ok(stats.events > 0 && stats.types.distinct > 1, "no counts");
  const { anomalies } = await tool(client, "rowtrail_list_anomalies", { since: "30d" });
  ok(Array.isArray(anomalies), "no list of anomalies");
  for (const { seq: unusual } of anomalies.slice(0, 1)) {
    const explained = await tool(client, "rowtrail_explain", { seq: unusual });
    ok(explained.summary.length > 0, "an anomaly is not explained");
  }
  const day = await tool(client, "rowtrail_summarize_day", { date: "today", detail: "detailed" });
  ok(day.text.includes("sale") && day.facts.facts.length > 3, "no summary");
  is((await tool(client, "rowtrail_status")).sources.length, 1);

  const wrong = await client.callTool({ name: "rowtrail_search_events", arguments: { severity: "urgent" } });
  ok(wrong.isError && wrong.content[0].text.includes("critical"), "no advice on a wrong argument");

  const { resources } = await client.listResources();
  for (const kind of ["event", "summary", "rule"]) {
    const resource = resources.find((r) => r.uri.startsWith(`rowtrail://${kind}/`));
    ok(resource, `no resource of kind ${kind}`);
    const { contents } = await client.readResource({ uri: resource.uri });
    ok(contents[0].text.length > 50, `${resource.uri} is empty`);
  }
  is((await client.listResourceTemplates()).resourceTemplates.length, 3);
  const { prompts } = await client.listPrompts();
  is(prompts.map((p) => p.name), ["investigate_object", "review_day", "review_actor"]);
  const prompt = await client.getPrompt({ name: "investigate_object", arguments: { type: object.type, id: object.id } });
  ok(prompt.messages[0].content.text.includes("rowtrail_object_history"), "the prompt names no tool");
  const completed = await client.complete({ ref: { type: "ref/prompt", name: "investigate_object" }, argument: { name: "type", value: "pro" } });
  ok(completed.completion.values.includes("product"), "no completion");
}

for (const [name, version, make] of peers) {
  const [client, transport] = make();
  await check(`${name}: connects with ${version}`, async () => {
    await client.connect(transport);
    is(client.getServerVersion().name, "rowtrail");
    const negotiated = client.getNegotiatedProtocolVersion?.() ?? transport.protocolVersion ?? version;
    is(negotiated, version);
    ok(client.getInstructions().includes("seq"), "no instructions");
  });
  await check(`${name}: an investigation`, () => investigate(client));
  await client.close();
}
await check("without a token nobody gets in", async () => {
  const client = new Client(me, modern);
  await client.connect(new StreamableHTTPClientTransport(url)).then(
    () => { throw new Error("connected"); },
    (error) => ok(/401|unauthori[sz]ed/i.test(String(error)), `another error: ${error}`));
});
process.exit(failed === 0 ? 0 : 1);
