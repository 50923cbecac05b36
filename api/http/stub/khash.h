// SPDX-License-Identifier: Apache-2.0
#pragma once

// h2o/http2_internal.h includes "khash.h", which libh2o-dev does not ship. The shim needs that
// header's struct layouts only; a khash_t is used there by pointer alone, so that these stand-ins
// change no layout, and the functions that would look into one are never called by us.

#include <stdint.h>

typedef uint32_t khint_t;
typedef khint_t khiter_t;

#define khash_t(name) struct kh_##name##_s
#define KHASH_MAP_INIT_INT64(name, type)                                                           \
	struct kh_##name##_s {                                                                     \
		type *vals;                                                                        \
	};
#define kh_get(name, h, k) ((void)(h), (khiter_t)(k))
#define kh_end(h) ((void)(h), (khiter_t)0)
#define kh_val(h, x) ((h)->vals[x])
