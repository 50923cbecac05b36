// SPDX-License-Identifier: Apache-2.0
#pragma once

// Values of the store out of a fuzz input. Their checksums keep nearly every mutation away from the
// decoder behind, so each input is tried twice: as it is, and with the right checksum after it.

#include "collector/store/bytes.h"
#include "collector/store/checksum.h"

#include <stdlib.h>

// The bytes and their checksum, to be freed by bytes_fini.
static inline struct bytes stored_mend(const uint8_t *data, size_t len)
{
	// as much memory as bytes, so that a read too far is seen
	struct bytes w = {.p = malloc(len + 8), .cap = len + 8};
	bytes_put(&w, data, len);
	bytes_u64(&w, checksum64(data, len));
	return w;
}
