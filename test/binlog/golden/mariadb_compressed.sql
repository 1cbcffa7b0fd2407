SET GLOBAL binlog_row_metadata = FULL, GLOBAL log_bin_compress = ON, GLOBAL log_bin_compress_min_len = 10;
SET NAMES utf8mb4;
CREATE TABLE compressed (id INT PRIMARY KEY, v VARCHAR(300) COMPRESSED, t TEXT COMPRESSED, tl TEXT CHARACTER SET latin1 COMPRESSED, b BLOB COMPRESSED, vb VARBINARY(500) COMPRESSED, plain VARCHAR(100)) DEFAULT CHARACTER SET utf8mb4;
INSERT INTO compressed VALUES (1, REPEAT('ä', 250), REPEAT('text ', 1000), REPEAT('ü', 300), REPEAT(x'00ff', 500), REPEAT('z', 400), REPEAT('plain ', 10)), (2, 'short', '', 'é', x'00', '', ''), (3, NULL, NULL, NULL, NULL, NULL, NULL);
UPDATE compressed SET plain = REPEAT('changed ', 10) WHERE id < 3;
DELETE FROM compressed;
SET column_compression_zlib_wrap = ON;
INSERT INTO compressed (id, t) VALUES (4, REPEAT('wrapped ', 100));
SET GLOBAL log_bin_compress = OFF, GLOBAL binlog_row_metadata = NO_LOG;
