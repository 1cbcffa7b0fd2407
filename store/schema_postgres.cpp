// The tables of a Postgres store, in schema `rowtrail`, which is on the search path here. Keys
// begin with log_id (a distributed database's rule); text is COLLATE "C": bytes, not a locale,
// decide order and equality.
#include "store/migrations.h"

namespace rowtrail::store {

const char* const kPostgresTables = R"sql(
CREATE TABLE meta (name text COLLATE "C" PRIMARY KEY, value text COLLATE "C" NOT NULL);

-- Which logs there are, and the table numbers of each.
CREATE TABLE log (log_id bigint PRIMARY KEY, name text COLLATE "C" NOT NULL,
  origin text COLLATE "C" NOT NULL, created_us bigint NOT NULL,
  vkey text COLLATE "C" NOT NULL DEFAULT '');
CREATE TABLE source_table (log_id bigint NOT NULL, table_id integer NOT NULL,
  source text COLLATE "C" NOT NULL, database_name text COLLATE "C" NOT NULL,
  table_name text COLLATE "C" NOT NULL, PRIMARY KEY (log_id, table_id));

-- Working tables. They are rewritten in every commit: room on the page keeps that cheap.
CREATE TABLE lease (log_id bigint PRIMARY KEY, epoch bigint NOT NULL,
  holder text COLLATE "C" NOT NULL, renewed_us bigint NOT NULL) WITH (fillfactor = 20);
CREATE TABLE tree_edge (log_id bigint PRIMARY KEY, size bigint NOT NULL, root bytea NOT NULL,
  transactions bigint NOT NULL, changes bigint NOT NULL, events bigint NOT NULL,
  gaps bigint NOT NULL) WITH (fillfactor = 20);
CREATE TABLE tree_edge_tile (log_id bigint NOT NULL, level integer NOT NULL, hashes bytea NOT NULL,
  PRIMARY KEY (log_id, level));
CREATE TABLE rule_state (log_id bigint NOT NULL, rule text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL, value text COLLATE "C" NOT NULL,
  PRIMARY KEY (log_id, rule, key)) WITH (fillfactor = 50);
CREATE TABLE position (log_id bigint NOT NULL, source text COLLATE "C" NOT NULL,
  file text COLLATE "C" NOT NULL, pos bigint NOT NULL, gtid_set text COLLATE "C" NOT NULL,
  server_uuid text COLLATE "C" NOT NULL, format_created bigint NOT NULL,
  event_time_us bigint NOT NULL, committed_us bigint NOT NULL,
  xa_rolled_back bigint NOT NULL DEFAULT 0,
  PRIMARY KEY (log_id, source)) WITH (fillfactor = 20);
-- XA transactions that are prepared: part 0 tells their tables, the others hold their rows. Sealed.
CREATE TABLE xa_pending (log_id bigint NOT NULL, source text COLLATE "C" NOT NULL,
  xid text COLLATE "C" NOT NULL, part bigint NOT NULL, sealed bytea NOT NULL,
  PRIMARY KEY (log_id, source, xid, part));
ALTER TABLE xa_pending ALTER COLUMN sealed SET STORAGE EXTERNAL;

-- What the anomaly detectors remember: part 0 as of some commit, then one part for each commit since.
CREATE TABLE detector_state (log_id bigint NOT NULL, source text COLLATE "C" NOT NULL,
  part bigint NOT NULL, bytes bytea NOT NULL, PRIMARY KEY (log_id, source, part));
ALTER TABLE detector_state ALTER COLUMN bytes SET STORAGE EXTERNAL;

-- The tree: bundles of 256 entries and tiles of 256 hashes, inserted once when they are full, and the
-- signed tree heads that were published. EXTERNAL: hashes do not compress.
CREATE TABLE entry (log_id bigint NOT NULL, bundle bigint NOT NULL, entries bytea NOT NULL,
  PRIMARY KEY (log_id, bundle));
ALTER TABLE entry ALTER COLUMN entries SET STORAGE EXTERNAL;
CREATE TABLE tree_tile (log_id bigint NOT NULL, level integer NOT NULL, tile bigint NOT NULL,
  hashes bytea NOT NULL, PRIMARY KEY (log_id, level, tile));
ALTER TABLE tree_tile ALTER COLUMN hashes SET STORAGE EXTERNAL;
ALTER TABLE tree_edge_tile ALTER COLUMN hashes SET STORAGE EXTERNAL;
CREATE TABLE tree_head (log_id bigint NOT NULL, size bigint NOT NULL, time_us bigint NOT NULL,
  note text COLLATE "C" NOT NULL, PRIMARY KEY (log_id, size));

-- Beside the tree: tokens of the HTTP API, hashed.
CREATE TABLE token (id text COLLATE "C" PRIMARY KEY, digest bytea NOT NULL,
  name text COLLATE "C" NOT NULL, scopes integer NOT NULL, created_us bigint NOT NULL,
  expires_us bigint NOT NULL, used_us bigint NOT NULL, revoked_us bigint NOT NULL);

-- Record tables: insert only.
CREATE TABLE "transaction" (log_id bigint NOT NULL, seq bigint NOT NULL, time_us bigint NOT NULL,
  source text COLLATE "C" NOT NULL, id text COLLATE "C" NOT NULL, payload text COLLATE "C", salt bytea,
  PRIMARY KEY (log_id, seq));
CREATE INDEX transaction_id ON "transaction" (log_id, id, source);

CREATE TABLE change (log_id bigint NOT NULL, seq bigint NOT NULL, transaction_seq bigint NOT NULL,
  time_us bigint NOT NULL, ordinal integer NOT NULL, table_id integer NOT NULL,
  op smallint NOT NULL, pk text COLLATE "C" NOT NULL, old_pk text COLLATE "C" NOT NULL, payload text COLLATE "C", salt bytea,
  PRIMARY KEY (log_id, seq));
CREATE INDEX change_table ON change (log_id, table_id, seq);
CREATE INDEX change_row ON change (log_id, table_id, pk, seq);
CREATE INDEX change_moved ON change (log_id, table_id, old_pk, seq) WHERE old_pk <> '';
CREATE INDEX change_statement ON change (log_id, table_id, seq) WHERE op IN (3, 4);
CREATE INDEX change_time ON change USING brin (time_us);

CREATE TABLE event (log_id bigint NOT NULL, seq bigint NOT NULL, transaction_seq bigint NOT NULL,
  time_us bigint NOT NULL, severity smallint NOT NULL, source text COLLATE "C" NOT NULL,
  type text COLLATE "C" NOT NULL, actor text COLLATE "C" NOT NULL, rule text COLLATE "C" NOT NULL,
  payload text COLLATE "C", salt bytea, PRIMARY KEY (log_id, seq));
CREATE INDEX event_transaction ON event (log_id, transaction_seq, seq);
CREATE INDEX event_type ON event (log_id, type, seq);
CREATE INDEX event_actor ON event (log_id, actor, seq);
CREATE INDEX event_severity ON event (log_id, severity, seq) WHERE severity > 0;
CREATE INDEX event_time ON event USING brin (time_us);

CREATE TABLE event_object (log_id bigint NOT NULL, seq bigint NOT NULL, ordinal integer NOT NULL,
  object_type text COLLATE "C" NOT NULL, object_id text COLLATE "C" NOT NULL,
  role text COLLATE "C" NOT NULL, PRIMARY KEY (log_id, seq, ordinal));
CREATE INDEX event_object_id ON event_object (log_id, object_type, object_id, seq);

CREATE TABLE event_evidence (log_id bigint NOT NULL, seq bigint NOT NULL,
  ordinal integer NOT NULL, evidence_seq bigint NOT NULL, PRIMARY KEY (log_id, seq, ordinal));

CREATE TABLE gap (log_id bigint NOT NULL, seq bigint NOT NULL, transaction_seq bigint NOT NULL,
  time_us bigint NOT NULL, source text COLLATE "C" NOT NULL, reason text COLLATE "C" NOT NULL,
  database_name text COLLATE "C" NOT NULL, table_name text COLLATE "C" NOT NULL,
  payload text COLLATE "C", salt bytea, PRIMARY KEY (log_id, seq));
CREATE TABLE anomaly (log_id bigint NOT NULL, seq bigint NOT NULL, transaction_seq bigint NOT NULL,
  time_us bigint NOT NULL, severity smallint NOT NULL, source text COLLATE "C" NOT NULL,
  detector text COLLATE "C" NOT NULL, actor text COLLATE "C" NOT NULL,
  evidence text COLLATE "C" NOT NULL, payload text COLLATE "C", salt bytea,
  PRIMARY KEY (log_id, seq));
CREATE INDEX anomaly_time ON anomaly (log_id, time_us);
CREATE TABLE table_schema (log_id bigint NOT NULL, seq bigint NOT NULL, time_us bigint NOT NULL,
  version integer NOT NULL, layout_hash bigint NOT NULL, source text COLLATE "C" NOT NULL,
  database_name text COLLATE "C" NOT NULL, table_name text COLLATE "C" NOT NULL,
  payload text COLLATE "C", salt bytea, PRIMARY KEY (log_id, seq));
CREATE TABLE rule_version (log_id bigint NOT NULL, seq bigint NOT NULL, time_us bigint NOT NULL,
  id text COLLATE "C" NOT NULL, version text COLLATE "C" NOT NULL, payload text COLLATE "C", salt bytea,
  PRIMARY KEY (log_id, seq));
CREATE TABLE input (log_id bigint NOT NULL, seq bigint NOT NULL, time_us bigint NOT NULL,
  source text COLLATE "C" NOT NULL, type text COLLATE "C" NOT NULL, payload text COLLATE "C", salt bytea,
  PRIMARY KEY (log_id, seq));
CREATE TABLE admin_action (log_id bigint NOT NULL, seq bigint NOT NULL, time_us bigint NOT NULL,
  type text COLLATE "C" NOT NULL, payload text COLLATE "C", salt bytea, PRIMARY KEY (log_id, seq));
)sql"
                                    // The views for people; json, not jsonb: it takes \u0000.
                                    R"sql(
CREATE VIEW transactions AS
SELECT t.log_id, l.name AS log, t.seq,
       timestamptz 'epoch' + t.time_us * interval '1 microsecond' AS committed_at, t.source,
       t.id AS transaction_id, t.payload::json AS payload
FROM "transaction" t JOIN log l ON l.log_id = t.log_id;
CREATE VIEW changes AS
SELECT c.log_id, l.name AS log, c.seq,
       timestamptz 'epoch' + c.time_us * interval '1 microsecond' AS committed_at, s.source,
       t.id AS transaction_id, c.transaction_seq, c.ordinal, s.database_name, s.table_name,
       CASE c.op WHEN 0 THEN 'insert' WHEN 1 THEN 'update' WHEN 2 THEN 'delete' WHEN 3 THEN 'truncate'
                 WHEN 4 THEN 'ddl' ELSE 'snapshot' END AS op, c.pk, c.payload::json AS payload
FROM change c JOIN log l ON l.log_id = c.log_id
JOIN source_table s ON s.log_id = c.log_id AND s.table_id = c.table_id
JOIN "transaction" t ON t.log_id = c.log_id AND t.seq = c.transaction_seq;
CREATE VIEW events AS
SELECT e.log_id, l.name AS log, e.seq,
       timestamptz 'epoch' + e.time_us * interval '1 microsecond' AS time, e.source,
       e.transaction_seq, e.type,
       CASE e.severity WHEN 0 THEN 'info' WHEN 1 THEN 'low' WHEN 2 THEN 'medium' WHEN 3 THEN 'high'
                       ELSE 'critical' END AS severity, e.actor, e.rule, e.payload::json AS payload
FROM event e JOIN log l ON l.log_id = e.log_id;
CREATE VIEW event_objects AS
SELECT o.object_type, o.object_id, o.role, e.*
FROM event_object o JOIN events e ON e.log_id = o.log_id AND e.seq = o.seq;
CREATE VIEW gaps AS
SELECT g.log_id, l.name AS log, g.seq,
       timestamptz 'epoch' + g.time_us * interval '1 microsecond' AS time, g.source,
       g.transaction_seq, g.reason, g.database_name, g.table_name, g.payload::json AS payload
FROM gap g JOIN log l ON l.log_id = g.log_id;
CREATE VIEW anomalies AS
SELECT a.log_id, l.name AS log, a.seq,
       timestamptz 'epoch' + a.time_us * interval '1 microsecond' AS time, a.source,
       a.transaction_seq, a.detector,
       CASE a.severity WHEN 0 THEN 'info' WHEN 1 THEN 'low' WHEN 2 THEN 'medium' WHEN 3 THEN 'high'
                       ELSE 'critical' END AS severity, a.actor, a.evidence,
       a.payload::json AS payload
FROM anomaly a JOIN log l ON l.log_id = a.log_id;
)sql";

}  // namespace rowtrail::store
