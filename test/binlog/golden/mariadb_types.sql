SET GLOBAL binlog_row_metadata = FULL;
SET NAMES utf8mb4;
CREATE TABLE types (id INT PRIMARY KEY, t TINYINT, tu TINYINT UNSIGNED, bu BIGINT UNSIGNED, y YEAR, b BIT(13), de DECIMAL(20,5), f FLOAT, d DOUBLE,
  c CHAR(10), cl CHAR(10) CHARACTER SET latin1, v VARCHAR(300), tx TEXT, j JSON, bn BINARY(5), vb VARBINARY(10), bl BLOB,
  da DATE, dt DATETIME(3), ts TIMESTAMP(6) NULL, ti TIME(2), e ENUM('b','ä'), s SET('x','y'), g GEOMETRY, u UUID, i4 INET4, i6 INET6,
  hidden INT INVISIBLE DEFAULT 3, vc INT AS (id + 1) VIRTUAL) DEFAULT CHARACTER SET utf8mb4;
SET time_zone = '+00:00', sql_mode = '';
INSERT INTO types (id, t, tu, bu, y, b, de, f, d, c, cl, v, tx, j, bn, vb, bl, da, dt, ts, ti, e, s, g, u, i4, i6) VALUES
  (1, -1, 255, 18446744073709551615, 2026, 4097, -12345.67890, 1.5, 0.1, 'char', 'naïve €', REPEAT('v', 300), 'text', '{"a": [1, 2.0]}', 'ab', x'00ff', x'deadbeef',
   '2026-11-24', '2026-11-24 10:00:00.123', '2026-11-24 10:00:00.123456', '-10:00:00.5', 'ä', 'x,y', ST_GeomFromText('POINT(1 2)'), '3e11fa47-71ca-11e1-9e33-c80aa9429562', '192.168.0.1', '2001:db8::1'),
  (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (3, 0, 0, 0, 0, 0, 0, 0, 0, '', '', '', '', '""', '', '', '', '0000-00-00', '0000-00-00', '0000-00-00', 0, 0, '', ST_GeomFromText('GEOMETRYCOLLECTION EMPTY', 4326), '00000000-0000-0000-0000-000000000000', '0.0.0.0', '::');
UPDATE types SET t = 5, j = '[]' WHERE id = 1;
DELETE FROM types WHERE id = 2;
TRUNCATE TABLE types;
SET GLOBAL binlog_row_metadata = NO_LOG;
