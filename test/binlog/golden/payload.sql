-- Compressed transactions: one TRANSACTION_PAYLOAD event each, small, of many events, and with an XA prepare.
CREATE TABLE payload (id INT PRIMARY KEY, t TEXT, n INT);
SET SESSION binlog_transaction_compression = ON;
INSERT INTO payload VALUES (1, 'one', 1), (2, 'two', 2);
BEGIN;
INSERT INTO payload VALUES (3, REPEAT('three ', 5000), 3);
UPDATE payload SET n = n + 10;
DELETE FROM payload WHERE id = 1;
COMMIT;
SET SESSION binlog_transaction_compression_level_zstd = 19;
UPDATE payload SET t = REPEAT('x', 40000);
