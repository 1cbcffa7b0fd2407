// Events → Transactions of Changes, their canonical text, and that text read back. The public
// header of normalize/.
#pragma once

#include "normalize/canonical.h"
#include "normalize/debezium.h"
#include "normalize/mask.h"
#include "normalize/normalizer.h"
#include "normalize/payload.h"
#include "normalize/transaction.h"
