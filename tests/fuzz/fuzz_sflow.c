// SPDX-License-Identifier: Apache-2.0

// sFlow, NetFlow v1 and v7 datagrams (tests/fuzz/intake.h says how they lie in the input).

#include "lib/ipfix/wire.h"
#include "tests/fuzz/intake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_datagrams(data, size, 0); // what is mended begins as sFlow does
	return 0;
}
