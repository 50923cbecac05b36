// SPDX-License-Identifier: Apache-2.0
#pragma once

// A look at the head of an HTTP/1 request as it came over the wire.
// Thread: any.

#include <stdbool.h>
#include <stddef.h>

// Whether the head in front of `text` (up to its empty line) says more than once, or in two ways,
// how long the body is: Content-Length with Transfer-Encoding, either of them twice, a folded line.
bool head_is_ambiguous(const char *text, size_t len);
