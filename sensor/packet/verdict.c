// SPDX-License-Identifier: Apache-2.0
#include "sensor/packet/verdict.h"

const struct verdict_info verdicts[PACKET_N_VERDICTS] = {
#define VERDICT(symbol, name_, text_) [PACKET_##symbol] = {.name = name_, .text = text_},
#include "sensor/packet/verdict.def"
#undef VERDICT
};
