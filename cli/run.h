// What the commands that read a source share. Private to cli/.
#pragma once

#include "binlog/binlog.h"

#include <signal.h>

namespace rowtrail::cli {

/// Refuses a source that cannot be captured, and says what would make the record better.
void check_source(const binlog::ServerOptions& server);

/// SIGINT, SIGTERM and SIGHUP are taken by the caller and nowhere else; all threads made afterwards
/// inherit the mask. A pipe that breaks is an error of the write, no signal.
sigset_t block_stop_signals();

}  // namespace rowtrail::cli
