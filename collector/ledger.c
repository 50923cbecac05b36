// SPDX-License-Identifier: Apache-2.0
#include "collector/ledger.h"

const struct ledger_info ledger_infos[LEDGER_N] = {
#define COUNTER(name_, unit_, text_) {.name = #name_, .unit = unit_, .text = text_},
#define DROP(name_, unit_, text_) {.name = #name_, .unit = unit_, .text = text_, .is_drop = true},
#include "collector/ledger.def"
#undef COUNTER
#undef DROP
};
