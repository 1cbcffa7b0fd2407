// The public face of binlog/: bytes of a MySQL or MariaDB binlog, from a server or from files,
// become Events and cells. Everything here is synchronous; only ServerSource and Session touch a
// network.
#pragma once

#include "binlog/arena.h"
#include "binlog/cell.h"
#include "binlog/decoder.h"
#include "binlog/event.h"
#include "binlog/gtid.h"
#include "binlog/position.h"
#include "binlog/rows.h"
#include "binlog/schema.h"
#include "binlog/session.h"
#include "binlog/source.h"
#include "binlog/table_map.h"
