-- Tagged GTIDs, anonymous of none here, given and automatic ones.
CREATE TABLE gtids (a INT PRIMARY KEY);
SET gtid_next = '3e11fa47-71ca-11e1-9e33-c80aa9429562:my_tag:5';
INSERT INTO gtids VALUES (1);
SET gtid_next = 'AUTOMATIC:ops';
INSERT INTO gtids VALUES (2);
SET gtid_next = '3e11fa47-71ca-11e1-9e33-c80aa9429562:9223372036854775806';
INSERT INTO gtids VALUES (3);
SET gtid_next = '3e11fa47-71ca-11e1-9e33-c80aa9429562:a234567890123456789012345678901_:1';
INSERT INTO gtids VALUES (4);
SET gtid_next = 'AUTOMATIC', original_commit_timestamp = 1000000;
INSERT INTO gtids VALUES (5);
