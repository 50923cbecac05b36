// SPDX-License-Identifier: Apache-2.0
#pragma once

// The rules of lib/intel/match.h once more, as plainly as they can be said: every part of a query
// is compared with every indicator, bit by bit. Shares no code with the matcher but the lists.

#include "lib/intel/match.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>

#define ORACLE_LISTS 3

struct oracle {
	struct intel_list *lists[ORACLE_LISTS];
	struct prefix own[2];
	uint32_t now_sec;
};

struct oracle_found {
	const struct indicator *i; // NULL: nothing
	const struct intel_list *list;
	int len;
};

static inline bool oracle_in_net(const struct addr *a, const struct addr *net, unsigned len)
{
	for (unsigned bit = 0; bit < len; bit++)
		if ((a->b[bit / 8] ^ net->b[bit / 8]) >> (7 - bit % 8) & 1)
			return false;
	return true;
}

static inline bool oracle_is_v4(const struct addr *a)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	return memcmp(a->b, mapped, 12) == 0;
}

static inline bool oracle_is_reserved(const struct addr *a)
{
	static const char *const texts[] = {
		"0.0.0.0/8",
		"10.0.0.0/8",
		"100.64.0.0/10",
		"127.0.0.0/8",
		"169.254.0.0/16",
		"172.16.0.0/12",
		"192.0.0.0/24",
		"192.168.0.0/16",
		"192.88.99.0/24",
		"224.0.0.0/4",
		"240.0.0.0/4",
		"::/128",
		"::1/128",
		"fc00::/7",
		"fe80::/10",
		"fec0::/10",
		"ff00::/8"};
	enum { N = sizeof(texts) / sizeof(texts[0]) };
	static struct prefix nets[N];
	if (nets[N - 1].len == 0)
		for (int i = 0; i < N; i++)
			assert_int_equal(prefix_parse(texts[i], &nets[i]), 0);
	for (int i = 0; i < N; i++)
		if (oracle_is_v4(a) == oracle_is_v4(&nets[i].addr) &&
		    oracle_in_net(a, &nets[i].addr, nets[i].len))
			return true;
	return false;
}

static inline bool
oracle_is_exempt(const struct oracle *o, const struct indicator *i, const struct addr *a)
{
	for (int k = 0; k < 2; k++)
		if (!i->is_allow && oracle_in_net(a, &o->own[k].addr, o->own[k].len))
			return true;
	return !i->is_allow && !i->is_forced && oracle_is_reserved(a);
}

// The name as it is compared; "" for what is none.
static inline void oracle_name(const struct record_str *from, char name[static 256])
{
	size_t len = from->len, label = 0, dots = 0, digits = 0;
	name[0] = '\0';
	if (len && from->p[len - 1] == '.')
		len--;
	if (len == 0 || len > 253)
		return;
	for (size_t i = 0; i <= len; i++) {
		char c = i < len ? from->p[i] : '.';
		bool is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
		bool is_digit = c >= '0' && c <= '9';
		bool is_bad = !is_letter && !is_digit && c != '-' && c != '_';
		if (c == '.' ? label == 0 || label > 63 : is_bad)
			return;
		if (c == '.' && i == len && digits == label)
			return; // the last label is a number
		dots += c == '.' && i < len;
		label = c == '.' ? 0 : label + 1;
		digits = c == '.' ? 0 : digits + is_digit;
	}
	if (dots == 0)
		return;
	for (size_t i = 0; i < len; i++)
		name[i] = (char
		)(from->p[i] >= 'A' && from->p[i] <= 'Z' ? from->p[i] + 32 : from->p[i]);
	name[len] = '\0';
}

static inline int oracle_covers_name(const struct indicator *i, const char *bad, const char *name)
{
	size_t n = strlen(name), m = strlen(bad);
	if (n < m || strcmp(name + n - m, bad) != 0)
		return -1;
	return n == m || (!i->is_exact && name[n - m - 1] == '.') ? (int)m : -1;
}

// How specifically the indicator covers the part of the query; -1: not at all.
static inline int oracle_covers(
	const struct oracle *o,
	const struct indicator *i,
	const struct intel_query *q,
	int where,
	const char *bad,
	const char *name
)
{
	const struct addr *a = where == INTEL_SRC ? &q->src : &q->dst;
	uint16_t port = where == INTEL_SRC ? q->sport : q->dport;
	bool proto = i->proto == 0 || i->proto == q->proto;
	bool is_end = where == INTEL_SRC || where == INTEL_DST;
	if (i->expires && i->expires <= o->now_sec)
		return -1;
	if (i->type == INDICATOR_NAME)
		return where == INTEL_NAME ? oracle_covers_name(i, bad, name) : -1;
	if (i->type == INDICATOR_PORT)
		return q->has_flow && where == INTEL_PORT && port == i->port && proto ? 0 : -1;
	if (!q->has_flow || !is_end || oracle_is_v4(a) != oracle_is_v4(&i->net.addr) ||
	    !oracle_in_net(a, &i->net.addr, i->net.len) || oracle_is_exempt(o, i, a))
		return -1;
	if (i->type == INDICATOR_ADDR_PORT && (i->port != port || !proto))
		return -1;
	return i->net.len;
}

static inline struct oracle_found
oracle_search(const struct oracle *o, const struct intel_query *q, int where)
{
	struct oracle_found best = {};
	char name[256] = "";
	if (where == INTEL_NAME)
		oracle_name(&q->name, name);
	for (size_t k = 0; k < ORACLE_LISTS; k++) {
		for (size_t n = 0; n < o->lists[k]->n; n++) {
			const struct indicator *i = &o->lists[k]->items[n];
			const char *bad = intel_list_str(o->lists[k], i->name);
			int len = oracle_covers(o, i, q, where, bad, name);
			bool better = len >= 0 && (!best.i || len > best.len);
			if (len >= 0 && best.i && len == best.len)
				better = i->is_allow != best.i->is_allow ? i->is_allow
									 : i->score > best.i->score;
			if (better)
				best = (struct oracle_found){i, o->lists[k], len};
		}
	}
	return best;
}

static inline void
oracle_check(const struct oracle *o, const struct intel_query *q, const struct intel_match *m)
{
	struct oracle_found part[INTEL_PORT + 1], best = {};
	bool allowed = false;
	int where = INTEL_NONE;
	for (int w = INTEL_DST; w <= INTEL_PORT; w++)
		part[w] = oracle_search(o, q, w);
	bool shielded = (part[INTEL_DST].i && part[INTEL_DST].i->is_allow) ||
			(part[INTEL_SRC].i && part[INTEL_SRC].i->is_allow);
	for (int w = INTEL_DST; w <= INTEL_PORT; w++) {
		if (!part[w].i)
			continue;
		if (part[w].i->is_allow || (w == INTEL_PORT && shielded)) {
			allowed = true;
		} else if (!best.i || part[w].i->score > best.i->score) {
			best = part[w];
			where = w;
		}
	}
	assert_int_equal(m->is_allowed, allowed);
	assert_int_equal(m->where, where);
	assert_ptr_equal(m->indicator, best.i);
	assert_ptr_equal(m->list, best.list);
	assert_int_equal(m->score, best.i ? best.i->score : 0);
	assert_true(m->id == (best.i ? best.i->id : 0));
}
