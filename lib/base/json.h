// SPDX-License-Identifier: Apache-2.0
#pragma once

// JSON from outside: jansson recurses as deep as the text does and takes the last of two members of
// one name; neither is left to a stranger.
// Thread: any.

#include <jansson.h>

#define JSON_DEPTH_MAX 16

// The value (the caller's), or NULL: not JSON, nested deeper, a name twice, or no memory.
json_t *json_load_foreign(const char *text, size_t len);
