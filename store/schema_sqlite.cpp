// The tables of a SQLite store: the same names and columns as in Postgres. `log_id` is there for
// the sake of one SQL text and is stored nowhere: a file holds one log. The rowid is `seq`, so
// every index ends in it.
#include "store/migrations.h"

namespace rowtrail::store {

const char* const kSqliteTables = R"sql(
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

-- Which log this is, and its table numbers.
CREATE TABLE log (log_id INTEGER PRIMARY KEY, name TEXT NOT NULL, origin TEXT NOT NULL,
                  created_us INTEGER NOT NULL, vkey TEXT NOT NULL DEFAULT '') STRICT;
CREATE TABLE source_table (log_id INTEGER NOT NULL AS (1) VIRTUAL, table_id INTEGER PRIMARY KEY,
  source TEXT NOT NULL, database_name TEXT NOT NULL, table_name TEXT NOT NULL) STRICT;

-- Working tables.
CREATE TABLE lease (log_id INTEGER PRIMARY KEY, epoch INTEGER NOT NULL, holder TEXT NOT NULL,
                    renewed_us INTEGER NOT NULL) STRICT;
CREATE TABLE tree_edge (log_id INTEGER PRIMARY KEY, size INTEGER NOT NULL, root BLOB NOT NULL,
  transactions INTEGER NOT NULL, changes INTEGER NOT NULL, events INTEGER NOT NULL,
  gaps INTEGER NOT NULL) STRICT;
CREATE TABLE tree_edge_tile (log_id INTEGER NOT NULL, level INTEGER NOT NULL, hashes BLOB NOT NULL,
  PRIMARY KEY (log_id, level)) STRICT, WITHOUT ROWID;
-- What rules over time remember; an empty value: the key was seen.
CREATE TABLE rule_state (log_id INTEGER NOT NULL, rule TEXT NOT NULL, key TEXT NOT NULL,
  value TEXT NOT NULL, PRIMARY KEY (log_id, rule, key)) STRICT, WITHOUT ROWID;
CREATE TABLE position (log_id INTEGER NOT NULL, source TEXT NOT NULL, file TEXT NOT NULL,
  pos INTEGER NOT NULL, gtid_set TEXT NOT NULL, server_uuid TEXT NOT NULL,
  format_created INTEGER NOT NULL, event_time_us INTEGER NOT NULL, committed_us INTEGER NOT NULL,
  xa_rolled_back INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (log_id, source)) STRICT, WITHOUT ROWID;
-- XA transactions that are prepared: part 0 tells their tables, the others hold their rows. Sealed.
CREATE TABLE xa_pending (log_id INTEGER NOT NULL, source TEXT NOT NULL, xid TEXT NOT NULL,
  part INTEGER NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (log_id, source, xid, part)) STRICT;

-- What the anomaly detectors remember: part 0 as of some commit, then one part for each commit since.
CREATE TABLE detector_state (log_id INTEGER NOT NULL, source TEXT NOT NULL, part INTEGER NOT NULL,
  bytes BLOB NOT NULL, PRIMARY KEY (log_id, source, part)) STRICT, WITHOUT ROWID;

-- The tree: bundles of 256 entries and tiles of 256 hashes, inserted once when they are full, and the
-- signed tree heads that were published.
CREATE TABLE entry (log_id INTEGER NOT NULL AS (1) VIRTUAL, bundle INTEGER PRIMARY KEY,
  entries BLOB NOT NULL) STRICT;
CREATE TABLE tree_tile (log_id INTEGER NOT NULL AS (1) VIRTUAL, level INTEGER NOT NULL,
  tile INTEGER NOT NULL, hashes BLOB NOT NULL, PRIMARY KEY (level, tile)) STRICT;
CREATE TABLE tree_head (log_id INTEGER NOT NULL AS (1) VIRTUAL, size INTEGER PRIMARY KEY,
  time_us INTEGER NOT NULL, note TEXT NOT NULL) STRICT;

-- Record tables: insert only.
CREATE TABLE "transaction" (log_id INTEGER NOT NULL AS (1) VIRTUAL, seq INTEGER PRIMARY KEY,
  time_us INTEGER NOT NULL, source TEXT NOT NULL, id TEXT NOT NULL, payload TEXT, salt BLOB) STRICT;
CREATE INDEX transaction_id ON "transaction" (id, source);

CREATE TABLE change (log_id INTEGER NOT NULL AS (1) VIRTUAL, seq INTEGER PRIMARY KEY,
  transaction_seq INTEGER NOT NULL, time_us INTEGER NOT NULL, ordinal INTEGER NOT NULL,
  table_id INTEGER NOT NULL, op INTEGER NOT NULL, pk TEXT NOT NULL, old_pk TEXT NOT NULL,
  payload TEXT, salt BLOB) STRICT;
CREATE INDEX change_table ON change (table_id);
CREATE INDEX change_row ON change (table_id, pk);
CREATE INDEX change_moved ON change (table_id, old_pk) WHERE old_pk <> '';
CREATE INDEX change_statement ON change (table_id) WHERE op IN (3, 4);

CREATE TABLE event (log_id INTEGER NOT NULL AS (1) VIRTUAL, seq INTEGER PRIMARY KEY,
  transaction_seq INTEGER NOT NULL, time_us INTEGER NOT NULL, severity INTEGER NOT NULL,
  source TEXT NOT NULL, type TEXT NOT NULL, actor TEXT NOT NULL, rule TEXT NOT NULL,
  payload TEXT, salt BLOB) STRICT;
CREATE INDEX event_transaction ON event (transaction_seq);
CREATE INDEX event_time ON event (time_us);
CREATE INDEX event_type ON event (type);
CREATE INDEX event_actor ON event (actor);
CREATE INDEX event_severity ON event (severity) WHERE severity > 0;

CREATE TABLE event_object (log_id INTEGER NOT NULL AS (1) VIRTUAL, seq INTEGER NOT NULL,
  ordinal INTEGER NOT NULL, object_type TEXT NOT NULL, object_id TEXT NOT NULL, role TEXT NOT NULL,
  PRIMARY KEY (seq, ordinal)) STRICT, WITHOUT ROWID;
CREATE INDEX event_object_id ON event_object (object_type, object_id, seq);

-- The events that an event of a rule over time rests on.
CREATE TABLE event_evidence (log_id INTEGER NOT NULL AS (1) VIRTUAL, seq INTEGER NOT NULL,
  ordinal INTEGER NOT NULL, evidence_seq INTEGER NOT NULL, PRIMARY KEY (seq, ordinal))
  STRICT, WITHOUT ROWID;

CREATE TABLE gap (log_id INTEGER NOT NULL AS (1) VIRTUAL, seq INTEGER PRIMARY KEY,
  transaction_seq INTEGER NOT NULL, time_us INTEGER NOT NULL, source TEXT NOT NULL,
  reason TEXT NOT NULL, database_name TEXT NOT NULL, table_name TEXT NOT NULL, payload TEXT, salt BLOB) STRICT;
CREATE TABLE anomaly (log_id INTEGER NOT NULL AS (1) VIRTUAL, seq INTEGER PRIMARY KEY,
  transaction_seq INTEGER NOT NULL, time_us INTEGER NOT NULL, severity INTEGER NOT NULL,
  source TEXT NOT NULL, detector TEXT NOT NULL, actor TEXT NOT NULL, evidence TEXT NOT NULL,
  payload TEXT, salt BLOB) STRICT;
CREATE INDEX anomaly_time ON anomaly (time_us);
CREATE TABLE table_schema (log_id INTEGER NOT NULL AS (1) VIRTUAL, seq INTEGER PRIMARY KEY,
  time_us INTEGER NOT NULL, version INTEGER NOT NULL, layout_hash INTEGER NOT NULL,
  source TEXT NOT NULL, database_name TEXT NOT NULL, table_name TEXT NOT NULL, payload TEXT, salt BLOB) STRICT;
CREATE TABLE rule_version (log_id INTEGER NOT NULL AS (1) VIRTUAL, seq INTEGER PRIMARY KEY,
  time_us INTEGER NOT NULL, id TEXT NOT NULL, version TEXT NOT NULL, payload TEXT, salt BLOB) STRICT;
CREATE TABLE input (log_id INTEGER NOT NULL AS (1) VIRTUAL, seq INTEGER PRIMARY KEY,
  time_us INTEGER NOT NULL, source TEXT NOT NULL, type TEXT NOT NULL, payload TEXT, salt BLOB) STRICT;
CREATE TABLE admin_action (log_id INTEGER NOT NULL AS (1) VIRTUAL, seq INTEGER PRIMARY KEY,
  time_us INTEGER NOT NULL, type TEXT NOT NULL, payload TEXT, salt BLOB) STRICT;
)sql"
                                  // The guards and the views for people.
                                  R"sql(
CREATE TRIGGER transaction_update BEFORE UPDATE ON "transaction" BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER transaction_delete BEFORE DELETE ON "transaction" BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER change_update BEFORE UPDATE ON change BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER change_delete BEFORE DELETE ON change BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER event_update BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER event_delete BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER event_object_update BEFORE UPDATE ON event_object BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER event_object_delete BEFORE DELETE ON event_object BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER event_evidence_update BEFORE UPDATE ON event_evidence BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER event_evidence_delete BEFORE DELETE ON event_evidence BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER gap_update BEFORE UPDATE ON gap BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER gap_delete BEFORE DELETE ON gap BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER anomaly_update BEFORE UPDATE ON anomaly BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER anomaly_delete BEFORE DELETE ON anomaly BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER table_schema_update BEFORE UPDATE ON table_schema BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER table_schema_delete BEFORE DELETE ON table_schema BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER rule_version_update BEFORE UPDATE ON rule_version BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER rule_version_delete BEFORE DELETE ON rule_version BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER input_update BEFORE UPDATE ON input BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER input_delete BEFORE DELETE ON input BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER admin_action_update BEFORE UPDATE ON admin_action BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER admin_action_delete BEFORE DELETE ON admin_action BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER entry_update BEFORE UPDATE ON entry BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER entry_delete BEFORE DELETE ON entry BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER tree_tile_update BEFORE UPDATE ON tree_tile BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER tree_tile_delete BEFORE DELETE ON tree_tile BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER tree_head_update BEFORE UPDATE ON tree_head BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER tree_head_delete BEFORE DELETE ON tree_head BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;

-- INSERT OR REPLACE removes what is in its way without firing a delete trigger.
CREATE TRIGGER transaction_insert BEFORE INSERT ON "transaction" WHEN EXISTS (SELECT 1 FROM "transaction" WHERE seq = NEW.seq) BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER change_insert BEFORE INSERT ON change WHEN EXISTS (SELECT 1 FROM change WHERE seq = NEW.seq) BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER event_insert BEFORE INSERT ON event WHEN EXISTS (SELECT 1 FROM event WHERE seq = NEW.seq) BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER gap_insert BEFORE INSERT ON gap WHEN EXISTS (SELECT 1 FROM gap WHERE seq = NEW.seq) BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER anomaly_insert BEFORE INSERT ON anomaly WHEN EXISTS (SELECT 1 FROM anomaly WHERE seq = NEW.seq) BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER table_schema_insert BEFORE INSERT ON table_schema WHEN EXISTS (SELECT 1 FROM table_schema WHERE seq = NEW.seq) BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER rule_version_insert BEFORE INSERT ON rule_version WHEN EXISTS (SELECT 1 FROM rule_version WHERE seq = NEW.seq) BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER input_insert BEFORE INSERT ON input WHEN EXISTS (SELECT 1 FROM input WHERE seq = NEW.seq) BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER admin_action_insert BEFORE INSERT ON admin_action WHEN EXISTS (SELECT 1 FROM admin_action WHERE seq = NEW.seq) BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER event_object_insert BEFORE INSERT ON event_object WHEN EXISTS (SELECT 1 FROM event_object WHERE seq = NEW.seq AND ordinal = NEW.ordinal) BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER event_evidence_insert BEFORE INSERT ON event_evidence WHEN EXISTS (SELECT 1 FROM event_evidence WHERE seq = NEW.seq AND ordinal = NEW.ordinal) BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER entry_insert BEFORE INSERT ON entry WHEN EXISTS (SELECT 1 FROM entry WHERE bundle = NEW.bundle) BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
CREATE TRIGGER tree_tile_insert BEFORE INSERT ON tree_tile WHEN EXISTS (SELECT 1 FROM tree_tile WHERE level = NEW.level AND tile = NEW.tile) BEGIN SELECT RAISE(ABORT, 'records are append-only'); END;
-- A head that is there already stays as it is.
CREATE TRIGGER tree_head_insert BEFORE INSERT ON tree_head WHEN EXISTS (SELECT 1 FROM tree_head WHERE size = NEW.size) BEGIN SELECT RAISE(IGNORE); END;

CREATE VIEW transactions AS
SELECT seq, strftime('%Y-%m-%dT%H:%M:%fZ', time_us / 1000000.0, 'unixepoch') AS committed_at, source,
       id AS transaction_id, payload FROM "transaction";
CREATE VIEW changes AS
SELECT c.seq, strftime('%Y-%m-%dT%H:%M:%fZ', c.time_us / 1000000.0, 'unixepoch') AS committed_at,
       s.source, t.id AS transaction_id, c.transaction_seq, c.ordinal, s.database_name, s.table_name,
       CASE c.op WHEN 0 THEN 'insert' WHEN 1 THEN 'update' WHEN 2 THEN 'delete' WHEN 3 THEN 'truncate'
                 WHEN 4 THEN 'ddl' ELSE 'snapshot' END AS op, c.pk, c.payload
FROM change c JOIN source_table s ON s.table_id = c.table_id
JOIN "transaction" t ON t.seq = c.transaction_seq;
CREATE VIEW events AS
SELECT seq, strftime('%Y-%m-%dT%H:%M:%fZ', time_us / 1000000.0, 'unixepoch') AS time, source,
       transaction_seq, type,
       CASE severity WHEN 0 THEN 'info' WHEN 1 THEN 'low' WHEN 2 THEN 'medium' WHEN 3 THEN 'high'
                     ELSE 'critical' END AS severity, actor, rule, payload FROM event;
CREATE VIEW event_objects AS
SELECT o.object_type, o.object_id, o.role, e.* FROM event_object o JOIN events e ON e.seq = o.seq;
CREATE VIEW gaps AS
SELECT seq, strftime('%Y-%m-%dT%H:%M:%fZ', time_us / 1000000.0, 'unixepoch') AS time, source,
       transaction_seq, reason, database_name, table_name, payload FROM gap;
CREATE VIEW anomalies AS
SELECT seq, strftime('%Y-%m-%dT%H:%M:%fZ', time_us / 1000000.0, 'unixepoch') AS time, source,
       transaction_seq, detector,
       CASE severity WHEN 0 THEN 'info' WHEN 1 THEN 'low' WHEN 2 THEN 'medium' WHEN 3 THEN 'high'
                     ELSE 'critical' END AS severity, actor, evidence, payload FROM anomaly;
)sql";

}  // namespace rowtrail::store
