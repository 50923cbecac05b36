// SPDX-License-Identifier: Apache-2.0
#pragma once

// A traffic chart as PNG: the look that OphanimFlow's users know. Bars of a time lie over one
// another, the tallest behind. The same chart gives the same bytes.
// Thread: any.

#include "api/query/traffic.h"

#define CHART_W_MIN 200
#define CHART_W_MAX 4000
#define CHART_H_MIN 150
#define CHART_H_MAX 3000

struct chart {
	const char *title;
	unsigned w, h;
	uint64_t from_ns, bin_ns;
	uint32_t n_bins;
	const struct traffic_bin *bins;
};

// Megabits (of 2^20 bits) a second that a bin's bytes are.
double chart_mbits(const struct chart *c, uint64_t bytes);

// 0 with a malloc'd image; or -ENOMEM.
[[nodiscard]] int chart_draw(const struct chart *c, char **ret_png, size_t *ret_len);
