// Events → Transactions of Changes, and their canonical text. The public header of normalize/.
#pragma once

#include "normalize/canonical.h"
#include "normalize/normalizer.h"
#include "normalize/transaction.h"
