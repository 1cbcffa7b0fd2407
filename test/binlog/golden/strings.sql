SET NAMES utf8mb4;
CREATE TABLE strings (id INT PRIMARY KEY, c CHAR(10), cl CHAR(10) CHARACTER SET latin1, c255 CHAR(255), v VARCHAR(40), vl VARCHAR(300) CHARACTER SET latin1, va VARCHAR(20) CHARACTER SET ascii,
  v3 VARCHAR(20) CHARACTER SET utf8mb3, v300 VARCHAR(300), tt TINYTEXT, tx TEXT, mt MEDIUMTEXT CHARACTER SET latin1, lt LONGTEXT,
  b BINARY(8), b255 BINARY(255), vb VARBINARY(20), vb300 VARBINARY(300), tb TINYBLOB, bl BLOB, mb MEDIUMBLOB, lb LONGBLOB) DEFAULT CHARACTER SET utf8mb4;
INSERT INTO strings VALUES
  (1, 'abc', 'äöü€', REPEAT('ß', 255), 'grüße 😀', 'naïve €', 'ascii', 'žluťoučký', REPEAT('x', 300), 'tiny', 'text with "quotes", \\ and\nnewline', 'Œuvre', 'long',
   'ab', 'cd', 'ef', REPEAT('z', 300), 'tb', x'00ff00', x'deadbeef', ''),
  (2, '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', '', ''),
  (3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL),
  (4, ' lead  ', 'trail   ', 'x', 'x   ', x'80818d8f909d', 'x', 'x', 'x', 'x', 'x', x'80818d8f909d', 'x', x'6100620000000000', x'00', x'6100', x'00', x'00', x'00', x'00', x'00');
