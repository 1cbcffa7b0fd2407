-- Every kind of transaction and column value the canonical text must tell right; canonical.py compares
-- what the normalizer makes of it with what mysqlbinlog prints. Labels are numbered so that it can.
DROP DATABASE IF EXISTS canonical;
CREATE DATABASE canonical;
USE canonical;
SET time_zone = '+00:00', sql_mode = 'NO_ENGINE_SUBSTITUTION';
CREATE TABLE everything (
  id BIGINT AUTO_INCREMENT PRIMARY KEY, t TINYINT, tu TINYINT UNSIGNED, s SMALLINT, su SMALLINT UNSIGNED, m MEDIUMINT, mu MEDIUMINT UNSIGNED,
  i INT, iu INT UNSIGNED, b BIGINT, bu BIGINT UNSIGNED, f FLOAT, d DOUBLE, d1 DECIMAL(10,2), d2 DECIMAL(65,30), d3 DECIMAL(5,0) UNSIGNED,
  da DATE, ti TIME, ti3 TIME(3), ti6 TIME(6), dt DATETIME, dt1 DATETIME(1), dt6 DATETIME(6), ts TIMESTAMP NULL, ts3 TIMESTAMP(3) NULL, y YEAR,
  c CHAR(20), cl CHAR(20) CHARACTER SET latin1, v VARCHAR(300), vl VARCHAR(50) CHARACTER SET latin1, tx TEXT, lt LONGTEXT, bn BINARY(5), vb VARBINARY(60), bl BLOB,
  e ENUM('L1','L2','L3'), st SET('L1','L2','L3','L4','L5','L6','L7','L8','L9'), b1 BIT(1), b64 BIT(64), j JSON) CHARACTER SET utf8mb4;
INSERT INTO everything (id) VALUES (1);
INSERT INTO everything VALUES
 (2, -128, 0, -32768, 0, -8388608, 0, -2147483648, 0, -9223372036854775808, 0, -1.5, -2.5e300, -99999999.99, -12345678901234567890123456789012345.123456789012345678901234567890, 0,
  '1000-01-01', '-838:59:59', '-838:59:59.000', '-00:00:00.000001', '1000-01-01 00:00:00', '1000-01-01 00:00:00.1', '1000-01-01 00:00:00.000001', '1970-01-01 00:00:01', '1970-01-01 00:00:01.001', 1901,
  '', '', '', '', '', '', '', '', '', 'L1', '', b'0', b'0', '{}'),
 (3, 127, 255, 32767, 65535, 8388607, 16777215, 2147483647, 4294967295, 9223372036854775807, 18446744073709551615, 3.25, 1e-300, 99999999.99, 0.000000000000000000000000000001, 99999,
  '9999-12-31', '838:59:59', '838:59:59.000', '23:59:59.999999', '9999-12-31 23:59:59', '9999-12-31 23:59:59.9', '9999-12-31 23:59:59.999999', '2038-01-19 03:14:07', '2038-01-19 03:14:07.999', 2155,
  'Grüße', 'Grüße é', 'quote '' and "double" back\\slash', 'ÄÖÜ', 'line\nbreak\ttab 世界 🙂', REPEAT('long ', 5000), 'ab', X'00FF10', X'C328A0A1', 'L3', 'L1,L9', b'1', X'FFFFFFFFFFFFFFFF',
  '{"b": 1, "a": [1.0, null, true, "x\\"y", -7, 18446744073709551615, 1.5e10], "n": {"k": {}}}'),
 (4, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 1, '0000-00-00', '00:00:00', '12:34:56.789', '-12:34:56.789012', '0000-00-00 00:00:00', '0000-00-00', '0000-00-00', '0000-00-00', '0000-00-00', 0,
  'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'x', 'L2', 'L2,L3,L5', b'1', b'101', 'null'),
 (5, 10, 100, 99, 9999, 10000, 99999, 1000000, 9999999, 10000000000, 99999999999999, 0.1, 0.1, 1.10, 1, 10, '2026-02-28', '00:00:01', '00:00:00.001', '100:00:00', '2026-11-24 10:00:00', '2026-11-24 10:00:00', '2026-11-24 10:00:00', '2026-11-24 10:00:00', '2026-11-24 10:00:00', 2026,
  'mid', 'mid', 'mid', 'mid', 'mid', 'mid', 'mid', 'mid', 'mid', '', 'L4', b'0', b'11', '"text"');
UPDATE everything SET t = 5, e = 'L1', st = 'L6', j = '[1,2]', ts3 = '2026-11-24 10:00:00.5' WHERE id IN (2, 4);
UPDATE everything SET id = 30 WHERE id = 3;
DELETE FROM everything WHERE id = 5;
CREATE TABLE two_keys (a INT, b VARCHAR(20), c INT, PRIMARY KEY (b, a));
CREATE TABLE no_key (a INT, b INT);
START TRANSACTION;
INSERT INTO two_keys VALUES (1, 'x', 10), (2, 'y', 20);
SAVEPOINT one;
INSERT INTO no_key VALUES (1, NULL), (2, 2);
ROLLBACK TO one;
INSERT INTO no_key VALUES (3, NULL), (4, 4);
UPDATE two_keys SET a = a + 10;
COMMIT;
CREATE TRIGGER copy AFTER INSERT ON two_keys FOR EACH ROW INSERT INTO no_key (a, b) VALUES (NEW.a, NEW.c);
INSERT INTO two_keys VALUES (100, 'trigger', 1), (101, 'trigger', 2);
CREATE TABLE copied AS SELECT * FROM two_keys;
CREATE TABLE plain (a INT PRIMARY KEY) ENGINE = MyISAM;
START TRANSACTION;
INSERT INTO plain VALUES (1), (2);
INSERT INTO two_keys VALUES (200, 'z', 1);
ROLLBACK;
ALTER TABLE no_key ADD COLUMN d DATETIME(6) AFTER a;
INSERT INTO no_key VALUES (9, '2026-11-24 10:00:00.5', 9);
TRUNCATE TABLE no_key;
CREATE USER scrubbed@localhost IDENTIFIED BY 'never-to-be-seen';
ALTER USER scrubbed@localhost IDENTIFIED BY 'never-to-be-seen';
DROP USER scrubbed@localhost;
INSERT INTO two_keys SELECT n, CONCAT('bulk', n), n FROM (WITH RECURSIVE q(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM q WHERE n < 1000) SELECT n FROM q) x;
DELETE FROM two_keys WHERE c BETWEEN 1 AND 900;
DROP TABLE copied, plain;
SET SESSION binlog_row_image = MINIMAL;
UPDATE everything SET v = 'minimal' WHERE id = 2;
DELETE FROM everything WHERE id = 2;
SET SESSION binlog_row_image = FULL;
SET SESSION binlog_format = STATEMENT;
UPDATE two_keys SET c = 5 WHERE a = 999;
SET SESSION binlog_format = ROW;
