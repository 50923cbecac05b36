// SPDX-License-Identifier: Apache-2.0
#pragma once

// Which packets are looked at: one of every n, the last of them or any (RFC 5475 §5.1.1 systematic
// count-based, §5.2.1.1 random n-out-of-N). Thread: worker.

#include <stdbool.h>
#include <stdint.h>

struct sample {
	uint32_t n; // 1: every packet
	bool is_random;
	uint32_t skip;	// so many are passed over
	uint32_t after; // then, after the one taken, so many more
	uint64_t state; // of the generator
};

static inline uint64_t sample_random(struct sample *s)
{
	uint64_t z = s->state += 0x9e3779b97f4a7c15; // splitmix64: no secret is needed
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static inline void sample_begin(struct sample *s, uint32_t place)
{
	s->skip = s->after + place;
	s->after = s->n - 1 - place;
}

static inline struct sample sample_of(uint32_t n, bool is_random, uint64_t seed)
{
	struct sample s = {.n = n ? n : 1, .is_random = is_random, .state = seed};
	sample_begin(&s, is_random ? (uint32_t)(sample_random(&s) % s.n) : s.n - 1);
	return s;
}

// Whether the next packet is taken.
static inline bool sample_takes(struct sample *s)
{
	if (s->skip) {
		s->skip--;
		return false;
	}
	if (s->n > 1)
		sample_begin(s, s->is_random ? (uint32_t)(sample_random(s) % s->n) : s->n - 1);
	return true;
}
