import com.github.shyiko.mysql.binlog.BinaryLogClient;
import com.github.shyiko.mysql.binlog.event.*;
import com.github.shyiko.mysql.binlog.event.deserialization.json.JsonBinary;
import com.github.shyiko.mysql.binlog.network.SSLMode;
import java.io.Serializable;
import java.util.*;

/** mysql-binlog-connector-java: prints every row as JSON (print) or only counts them (count), until the table named
 *  STOP gets a row.   Connector print|count PORT FILE STOP */
public class Connector {
  static String json(Object value, boolean isJson) {
    if (value == null) return "null";
    if (value instanceof byte[]) {
      byte[] bytes = (byte[]) value;
      if (isJson) {
        try { return quoted(JsonBinary.parseAsString(bytes)); } catch (Exception e) { return quoted("not JSON: " + e.getMessage()); }
      }
      return quoted(Base64.getEncoder().encodeToString(bytes));
    }
    if (value instanceof BitSet) return quoted(Base64.getEncoder().encodeToString(((BitSet) value).toByteArray()));
    if (value instanceof java.sql.Date || value instanceof java.sql.Time) return quoted(value.toString());
    if (value instanceof Date) return String.valueOf(((Date) value).getTime());
    if (value instanceof Number && !(value instanceof java.math.BigDecimal)) return value.toString();
    return quoted(value.toString());
  }

  static String quoted(String text) {
    StringBuilder out = new StringBuilder("\"");
    for (char c : text.toCharArray()) {
      if (c == '"' || c == '\\') out.append('\\').append(c);
      else if (c < 32) out.append(String.format("\\u%04x", (int) c));
      else out.append(c);
    }
    return out.append('"').toString();
  }

  public static void main(String[] args) throws Exception {
    boolean print = args[0].equals("print");
    BinaryLogClient client = new BinaryLogClient("127.0.0.1", Integer.parseInt(args[1]), "root", System.getenv("PEER_PASSWORD"));
    client.setSSLMode(SSLMode.PREFERRED);
    client.setServerId(9103);
    client.setBinlogFilename(args[2]);
    client.setBinlogPosition(4);
    Map<Long, TableMapEventData> tables = new HashMap<>();
    long[] rows = {0};
    StringBuilder out = new StringBuilder();
    client.registerLifecycleListener(new BinaryLogClient.AbstractLifecycleListener() {
      @Override public void onEventDeserializationFailure(BinaryLogClient c, Exception e) { System.err.println(e); }
    });
    client.registerEventListener(event -> take(event, tables, print, rows, out, args[3]));
    client.connect();
  }

  static void take(Event event, Map<Long, TableMapEventData> tables, boolean print, long[] rows, StringBuilder out, String stop) {
    EventData data = event.getData();
    if (data instanceof TableMapEventData) { tables.put(((TableMapEventData) data).getTableId(), (TableMapEventData) data); return; }
    if (data instanceof TransactionPayloadEventData) {
      for (Event inner : ((TransactionPayloadEventData) data).getUncompressedEvents()) take(inner, tables, print, rows, out, stop);
      return;
    }
    long id;
    BitSet included;
    List<Serializable[]> images = new ArrayList<>();
    if (data instanceof WriteRowsEventData) {
      id = ((WriteRowsEventData) data).getTableId(); included = ((WriteRowsEventData) data).getIncludedColumns();
      images = ((WriteRowsEventData) data).getRows();
    } else if (data instanceof UpdateRowsEventData) {
      id = ((UpdateRowsEventData) data).getTableId(); included = ((UpdateRowsEventData) data).getIncludedColumns();
      for (Map.Entry<Serializable[], Serializable[]> row : ((UpdateRowsEventData) data).getRows()) images.add(row.getValue());
    } else if (data instanceof DeleteRowsEventData) {
      id = ((DeleteRowsEventData) data).getTableId(); included = ((DeleteRowsEventData) data).getIncludedColumns();
      images = ((DeleteRowsEventData) data).getRows();
    } else return;
    rows[0] += images.size();
    TableMapEventData table = tables.get(id);
    if (print) {
      List<String> names = table.getEventMetadata() == null ? null : table.getEventMetadata().getColumnNames();
      for (Serializable[] row : images) {
        out.append("{\"t\":").append(quoted(table.getTable())).append(",\"op\":").append(quoted(event.getHeader().getEventType().toString())).append(",\"new\":{");
        int at = 0;
        for (int column = included.nextSetBit(0); column >= 0; column = included.nextSetBit(column + 1), ++at) {
          boolean isJson = (table.getColumnTypes()[column] & 255) == 245;
          out.append(at > 0 ? "," : "").append(quoted(names == null ? "@" + column : names.get(column))).append(':').append(json(row[at], isJson));
        }
        out.append("}}\n");
      }
    }
    if (table.getTable().equals(stop)) {
      System.out.print(out.append("rows ").append(rows[0]).append('\n'));
      System.out.flush();
      Runtime.getRuntime().halt(0);
    }
  }
}
