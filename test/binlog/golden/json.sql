SET NAMES utf8mb4;
CREATE TABLE json (id INT PRIMARY KEY, j JSON);
INSERT INTO json VALUES
  (1, '{"b": 1, "a": [true, false, null], "long key": {"x": "y"}}'),
  (2, '[0, -1, 32767, -32768, 32768, 65535, 65536, -2147483648, 2147483648, 4294967295, 4294967296, 9223372036854775807, -9223372036854775808, 18446744073709551615]'),
  (3, '[1.0, -0.0, 0.1, 1e100, 1.5e-9, 1e20, 123456789012345680000, 3.141592653589793, 5e-324, 1.7976931348623157e308]'),
  (4, 'null'), (5, 'true'), (6, '42'), (7, '-1.0'), (8, '"text with \\"quotes\\", \\\\, \\n, \\u0001 and 😀"'), (9, '[]'), (10, '{}'), (11, '""'), (12, NULL),
  (13, JSON_OBJECT('d', CAST('12.50' AS DECIMAL(10,2)), 'n', CAST('-0.001' AS DECIMAL(10,3)), 'date', DATE '2026-11-24', 'time', TIME '-10:11:12.5', 'dt', TIMESTAMP '2026-11-24 10:11:12.000001')),
  (14, JSON_ARRAY(CAST('838:59:59' AS TIME), CAST(x'00ff10' AS BINARY), CAST(b'101' AS BINARY), CAST('ab' AS BINARY(4)))),
  (15, CONCAT('["', REPEAT('x', 127), '", "', REPEAT('y', 128), '", "', REPEAT('z', 20000), '"]')),
  (16, CONCAT('{"', REPEAT('k', 300), '": "', REPEAT('v', 70000), '", "small": [1, 100000, -5, null, 4000000000, "s"], "": {}}')),
  (17, CONCAT(REPEAT('[', 100), REPEAT(']', 100)));
INSERT INTO json VALUES (18, JSON_OBJECT('g', ST_GeomFromText('POINT(1 2)'), 'u', UUID_TO_BIN('3e11fa47-71ca-11e1-9e33-c80aa9429562'), 'y', CAST(2026 AS YEAR)));
INSERT INTO json VALUES (19, '{"a": "a long enough value to leave a hole", "b": 2, "c": [1, 2, 3]}');
UPDATE json SET j = JSON_SET(j, '$.a', 'short') WHERE id = 19;
UPDATE json SET j = JSON_REMOVE(j, '$.b') WHERE id = 19;
UPDATE json SET j = JSON_REPLACE(j, '$.c[1]', 'x') WHERE id = 19;
