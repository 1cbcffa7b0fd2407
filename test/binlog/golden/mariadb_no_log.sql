-- MariaDB's default: no signs, no character sets, no names in the binlog.
SET GLOBAL binlog_row_metadata = NO_LOG;
SET NAMES utf8mb4;
CREATE TABLE no_log (id INT PRIMARY KEY, u INT UNSIGNED, v VARCHAR(20), d DECIMAL(5,2), e ENUM('a','b'), dt DATETIME, f DOUBLE, y YEAR, bl BLOB, s SET('x')) DEFAULT CHARACTER SET utf8mb4;
INSERT INTO no_log VALUES (1, 4294967295, 'text', 1.25, 'b', '2026-11-24', 0.5, 2026, 'blob', 'x');
