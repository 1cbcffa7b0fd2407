-- Makes the two workloads of bench/decode.sh: `CALL small(n)` commits n transactions of six single-row
-- statements (21 events each, about 130 bytes), `CALL bulk(n)` n statements of 1,000 rows with 30 columns.
CREATE DATABASE IF NOT EXISTS bench_decode;
USE bench_decode;
DROP TABLE IF EXISTS account, orders, item, wide;
CREATE TABLE account (id INT PRIMARY KEY, balance DECIMAL(12,2), name VARCHAR(60), status ENUM('new','active','closed'), updated DATETIME(6));
CREATE TABLE orders (id BIGINT AUTO_INCREMENT PRIMARY KEY, account INT, total DECIMAL(10,2), note VARCHAR(80), state ENUM('open','paid','sent'), doc JSON, created TIMESTAMP);
CREATE TABLE item (id BIGINT AUTO_INCREMENT PRIMARY KEY, orders BIGINT, sku CHAR(12), n SMALLINT, price DOUBLE, flags BIT(8), due DATE, KEY (orders));
CREATE TABLE wide (
  id BIGINT AUTO_INCREMENT PRIMARY KEY, t TINYINT, tu TINYINT UNSIGNED, s SMALLINT, m MEDIUMINT, i INT, iu INT UNSIGNED, b BIGINT, bu BIGINT UNSIGNED,
  f FLOAT, d DOUBLE, dec1 DECIMAL(10,2), dec2 DECIMAL(30,10), da DATE, ti TIME(3), dt DATETIME(6), ts TIMESTAMP(3) NULL, y YEAR,
  c CHAR(20), v1 VARCHAR(100), v2 VARCHAR(300), tx TEXT, j JSON, e ENUM('red','green','blue'), st SET('a','b','c','d'), bi BIT(12),
  bn BINARY(16), vb VARBINARY(60), bl BLOB, n INT NULL);
INSERT INTO account WITH RECURSIVE q(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM q WHERE n < 1000) SELECT n, 1000, CONCAT('customer number ', n), 'active', NOW(6) FROM q;
DROP PROCEDURE IF EXISTS small;
DROP PROCEDURE IF EXISTS bulk;
DELIMITER //
CREATE PROCEDURE small(transactions INT)
BEGIN
  DECLARE i INT DEFAULT 0;
  DECLARE o BIGINT;
  WHILE i < transactions DO
    START TRANSACTION;
    UPDATE account SET balance = balance + 1.25, updated = NOW(6) WHERE id = 1 + i MOD 1000;
    INSERT INTO orders VALUES (NULL, 1 + i MOD 1000, 99.90 + i, 'order by telephone', 'open', JSON_OBJECT('source', 'web', 'n', i, 'tags', JSON_ARRAY('a', 'b')), NOW());
    SET o = LAST_INSERT_ID();
    INSERT INTO item VALUES (NULL, o, CONCAT('SKU-', i MOD 9999), 2, 9.5 + i, b'101', '2026-11-24');
    INSERT INTO item VALUES (NULL, o, CONCAT('SKU-', i MOD 7777), 1, 0.25 * i, b'1', '2026-11-25');
    UPDATE orders SET state = 'paid' WHERE id = o;
    DELETE FROM item WHERE orders = o - 10 LIMIT 1;
    COMMIT;
    SET i = i + 1;
  END WHILE;
END //
CREATE PROCEDURE bulk(statements INT)
BEGIN
  DECLARE i INT DEFAULT 0;
  WHILE i < statements DO
    INSERT INTO wide
      WITH RECURSIVE q(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM q WHERE n < 1000)
      SELECT NULL, n MOD 127, n MOD 255, -n, n * 100, n * 1000, n * 4000, -n * 1000000007, n * 5000000029, n / 3, n / 7, n + 0.25, n * 12345678.0123456789,
        DATE '2026-01-01' + INTERVAL n DAY, SEC_TO_TIME(n * 80.125), NOW(6), NOW(3), 1970 + n MOD 100, CONCAT('char ', n), CONCAT('a varchar of some length, number ', n),
        REPEAT('xyz ', 20 + n MOD 20), CONCAT('Ein längerer Text für die Zeile ', n, REPEAT(' und mehr', 10)),
        JSON_OBJECT('id', n, 'name', CONCAT('name ', n), 'price', n / 4, 'tags', JSON_ARRAY('red', 'blue', n), 'nested', JSON_OBJECT('ok', n MOD 2 = 0, 'at', '2026-11-24T10:00:00Z')),
        1 + n MOD 3, n MOD 16, n, LEFT(UNHEX(SHA2(n, 256)), 16), UNHEX(SHA2(n, 256)), REPEAT(UNHEX(SHA2(n, 256)), 2), IF(n MOD 2, n, NULL) FROM q;
    UPDATE wide SET i = i + 1, v1 = CONCAT(v1, '!') WHERE id > (SELECT m FROM (SELECT MAX(id) - 400 AS m FROM wide) x);
    DELETE FROM wide WHERE id < (SELECT m FROM (SELECT MAX(id) - 50000 AS m FROM wide) x) LIMIT 1000;
    SET i = i + 1;
  END WHILE;
END //
DELIMITER ;
