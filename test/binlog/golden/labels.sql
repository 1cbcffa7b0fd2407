SET NAMES utf8mb4, sql_mode = '';
SET @s = (SELECT GROUP_CONCAT(CONCAT("'m", n, "'")) FROM (WITH RECURSIVE q(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM q WHERE n < 300) SELECT n FROM q) x);
SET @@session.group_concat_max_len = 100000;
SET @s = (SELECT GROUP_CONCAT(CONCAT("'m", n, "'") ORDER BY n) FROM (WITH RECURSIVE q(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM q WHERE n < 300) SELECT n FROM q) x);
SET @c = CONCAT("CREATE TABLE labels (id INT PRIMARY KEY, e ENUM('a','b','it''s','größe') CHARACTER SET utf8mb4, el ENUM('ä','€') CHARACTER SET latin1, big ENUM(", @s, "), s SET('r','w','x y'), sl SET('é','ß') CHARACTER SET latin1, s64 SET(",
  (SELECT GROUP_CONCAT(CONCAT("'s", n, "'") ORDER BY n) FROM (WITH RECURSIVE q(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM q WHERE n < 64) SELECT n FROM q) y), ")) DEFAULT CHARACTER SET utf8mb4");
PREPARE c FROM @c;
EXECUTE c;
INSERT INTO labels VALUES (1, 'a', 'ä', 'm1', 'r', 'é', 's1'), (2, 'größe', '€', 'm300', 'r,w,x y', 'é,ß', 's1,s64'), (3, 'none', '€', 'm256', '', '', ''), (4, NULL, NULL, NULL, NULL, NULL, NULL);
