-- binlog_row_metadata = MINIMAL: signs and character sets, no names, labels or keys.
SET GLOBAL binlog_row_metadata = MINIMAL;
SET NAMES utf8mb4;
CREATE TABLE minimal (id INT PRIMARY KEY, u INT UNSIGNED, v VARCHAR(20), l TEXT CHARACTER SET latin1, b BLOB, e ENUM('b','ä'), s SET('x'), g GEOMETRY, ve VECTOR(2), j JSON) DEFAULT CHARACTER SET utf8mb4;
INSERT INTO minimal VALUES (1, 4294967295, 'größe', 'größe', x'ff', 'ä', 'x', ST_GeomFromText('POINT(1 2)'), TO_VECTOR('[1,2]'), '{"a": 1}');
SET GLOBAL binlog_row_metadata = FULL;
