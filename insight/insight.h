// Answers from the record: summaries whose every number comes from a fact sheet. Pure: no socket,
// no clock. The public header of insight/.
#pragma once

#include "insight/anomaly.h"
#include "insight/backtest.h"
#include "insight/calendar.h"
#include "insight/learn.h"
#include "insight/ranking.h"
#include "insight/series.h"
#include "insight/summary.h"
