import io.debezium.engine.ChangeEvent;
import io.debezium.engine.DebeziumEngine;
import io.debezium.engine.format.Json;
import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.node.*;
import java.util.*;

/** Debezium's embedded engine, as its JSON converter gives rows: prints them (print) or only counts them (count),
 *  until the table named STOP gets a row.   Embedded print|count PORT FIRST STOP, FIRST being the GTID of the first transaction
 *  It cannot begin in a binlog whose tables it has not seen: told an offset of its own making it recovers the schema
 *  from the server as it is now (snapshot.mode recovery), which is right here because no table is altered. */
public class Embedded {
  /** An offset file that says the transaction FIRST was read. */
  static String offsets(String first) throws Exception {
    java.io.File out = java.io.File.createTempFile("offsets", ".dat");
    HashMap<byte[], byte[]> entries = new HashMap<>();
    entries.put("[\"peer\",{\"server\":\"peer\"}]".getBytes(), ("{\"file\":\"binlog.000001\",\"pos\":4,\"gtids\":\"" + first + "\"}").getBytes());
    try (java.io.ObjectOutputStream stream = new java.io.ObjectOutputStream(new java.io.FileOutputStream(out))) {
      stream.writeObject(entries);
    }
    return out.getPath();
  }

  public static void main(String[] args) throws Exception {
    boolean print = args[0].equals("print");
    Properties p = new Properties();
    p.put("name", "peer");
    p.put("connector.class", "io.debezium.connector.mysql.MySqlConnector");
    p.put("offset.storage", "org.apache.kafka.connect.storage.FileOffsetBackingStore");
    p.put("offset.storage.file.filename", offsets(args[2]));
    p.put("offset.flush.interval.ms", "60000");
    p.put("schema.history.internal", "io.debezium.relational.history.MemorySchemaHistory");
    p.put("database.hostname", "127.0.0.1");
    p.put("database.port", args[1]);
    p.put("database.user", "root");
    p.put("database.password", System.getenv("PEER_PASSWORD"));
    p.put("database.ssl.mode", "preferred");
    p.put("database.server.id", "9104");
    p.put("database.connectionTimeZone", "UTC");
    p.put("topic.prefix", "peer");
    p.put("snapshot.mode", "recovery");
    p.put("include.schema.changes", "false");
    p.put("bigint.unsigned.handling.mode", "precise");
    p.put("decimal.handling.mode", "string");
    p.put("time.precision.mode", "adaptive_time_microseconds");
    p.put("event.processing.failure.handling.mode", "warn");
    p.put("schema.history.internal.skip.unparseable.ddl", "true");
    p.put("poll.interval.ms", "10");
    p.put("tombstones.on.delete", "false");
    p.put("converter.schemas.enable", "false");
    p.put("value.converter.schemas.enable", "false");
    ObjectMapper mapper = new ObjectMapper().enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);
    long[] rows = {0};
    String marker = "\"table\":\"" + args[3] + "\"";
    StringBuilder out = new StringBuilder();
    DebeziumEngine<ChangeEvent<String, String>> engine = DebeziumEngine.create(Json.class).using(p)
        .using((success, message, error) -> {
          System.out.print(out);
          for (Throwable cause = error; cause != null; cause = cause.getCause()) System.err.println(cause);
          Runtime.getRuntime().halt(1);
        })
        .notifying(record -> {
          if (record.value() == null) return;
          rows[0]++;
          if (print) {
            try {
              JsonNode value = mapper.readTree(record.value());
              ObjectNode line = mapper.createObjectNode();
              line.put("t", value.at("/source/table").asText());
              line.put("op", value.get("op").asText());
              line.set("new", value.get("after"));
              System.out.println(line);
            } catch (Exception e) { System.err.println(e); }
          }
          if (record.value().contains(marker)) {
            System.out.print(out.append("rows ").append(rows[0]).append('\n'));
            System.out.flush();
            Runtime.getRuntime().halt(0);
          }
        }).build();
    engine.run();
  }
}
