// SPDX-License-Identifier: Apache-2.0
#pragma once

// Whether foreign bytes are UTF-8 (RFC 3629): no overlong forms, no surrogates, nothing above
// U+10FFFF.
// Thread: any.

#include <stdbool.h>
#include <stddef.h>

// Bytes of the character at `text`, of which `left` bytes (at least 1) are there; 0: it is none.
size_t utf8_len(const void *text, size_t left);

bool utf8_is_valid(const void *text, size_t len);

// The most of `len` valid bytes, at most `max`, that ends with a whole character.
size_t utf8_cut(const void *text, size_t len, size_t max);
