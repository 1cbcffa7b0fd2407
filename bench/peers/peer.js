// zongji (the fork that is maintained): prints every row as JSON (print) or only counts them (count), until the
// table named STOP gets a row.   peer.js print|count PORT FILE STOP
const [mode, port, file, stop] = process.argv.slice(2);
const ZongJi = require("@vlasky/zongji");
const zongji = new ZongJi({ host: "127.0.0.1", port: Number(port), user: "root", password: process.env.PEER_PASSWORD,
  supportBigNumbers: true, bigNumberStrings: true, dateStrings: true });
const plain = (key, value) => typeof value === "bigint" ? String(value)
  : value && value.type === "Buffer" ? Buffer.from(value.data).toString("base64") : value;
let rows = 0;
let out = "";
zongji.on("binlog", (event) => {
  if (!event.rows) return;
  const table = event.tableMap[event.tableId].tableName;
  for (const row of event.rows) {
    rows += 1;
    if (mode === "print") out += JSON.stringify({ t: table, op: event.getEventName(), new: row.after ?? row }, plain) + "\n";
  }
  if (table === stop) { process.stdout.write(out + `rows ${rows}\n`, () => process.exit(0)); }
});
zongji.on("error", (error) => { process.stdout.write(out); console.error(String(error)); process.exit(1); });
zongji.start({ serverId: 9102, filename: file, position: 4, includeEvents: ["tablemap", "writerows", "updaterows", "deleterows"] });
