// Answers from the record: summaries whose every number comes from a fact sheet. Pure: no socket,
// no clock. The public header of insight/.
#pragma once

#include "insight/backtest.h"
#include "insight/calendar.h"
#include "insight/learn.h"
#include "insight/summary.h"
