// SPDX-License-Identifier: Apache-2.0
#pragma once

// A hit as JSON, the same for the command and the API.
// Thread: any; pure.

#include "collector/store/hit.h"

#include <jansson.h>

#define HIT_ID_LEN 80 // text that names a row, with its final NUL

// NULL without memory.
json_t *hit_json(const struct hit *h);

// "ENTITY-HOUR-INDICATOR-INSIDE-DIRECTION" in hex; returns `text`.
const char *hit_id_format(const struct hit *h, char text[static HIT_ID_LEN]);

// The row a text names, in the members that name one. 0, or -EINVAL.
[[nodiscard]] int hit_id_parse(const char *text, struct hit *ret_hit);
