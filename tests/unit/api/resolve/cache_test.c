// SPDX-License-Identifier: Apache-2.0
#include "api/resolve/cache.h"
#include "tests/unit/cmocka.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct addr address(unsigned n)
{
	uint8_t b[4] = {10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
	return addr_of_v4(b);
}

static void set(struct cache *c, unsigned n, const char *name, uint64_t expires_ns)
{
	struct addr a = address(n);
	cache_set(c, &a, name, expires_ns);
}

static const char *find(struct cache *c, unsigned n, uint64_t now_ns)
{
	struct addr a = address(n);
	return cache_find(c, &a, now_ns);
}

static void what_is_set_is_found_until_it_expires(void **)
{
	struct cache *c = cache_create(8);
	assert_null(find(c, 1, 0));
	set(c, 1, "one.example", 1000);
	assert_string_equal(find(c, 1, 0), "one.example");
	assert_string_equal(find(c, 1, 999), "one.example");
	assert_null(find(c, 1, 1000));
	assert_null(find(c, 1, UINT64_MAX));
	cache_free(c);
}

static void an_address_without_a_name_is_known_too(void **)
{
	struct cache *c = cache_create(8);
	set(c, 1, "", 1000);
	assert_non_null(find(c, 1, 0));
	assert_string_equal(find(c, 1, 0), "");
	cache_free(c);
}

static void an_entry_is_replaced_in_its_place(void **)
{
	struct cache *c = cache_create(2);
	set(c, 1, "old.example", 1000);
	set(c, 2, "two.example", 1000);
	set(c, 1, "n", 2000);
	assert_string_equal(find(c, 1, 1500), "n");
	assert_string_equal(find(c, 2, 500), "two.example"); // did not have to go
	set(c, 1, "expired and back", 3000);
	assert_string_equal(find(c, 1, 2500), "expired and back");
	cache_free(c);
}

static void the_least_recently_used_goes_first(void **)
{
	struct cache *c = cache_create(3);
	for (unsigned n = 1; n <= 3; n++)
		set(c, n, "x", 1000);
	assert_non_null(find(c, 1, 0));
	set(c, 4, "x", 1000); // 2 goes: 1 was asked for since
	assert_null(find(c, 2, 0));
	assert_non_null(find(c, 3, 0));
	set(c, 5, "x", 1000); // then 1
	assert_null(find(c, 1, 0));
	assert_non_null(find(c, 3, 0));
	assert_non_null(find(c, 4, 0));
	assert_non_null(find(c, 5, 0));
	cache_free(c);
}

static void a_cache_of_none_holds_one(void **)
{
	struct cache *c = cache_create(0);
	for (unsigned n = 0; n < 100; n++) {
		set(c, n, "x", 1000);
		assert_non_null(find(c, n, 0));
		assert_true(n == 0 || !find(c, n - 1, 0));
	}
	cache_free(c);
}

static void addresses_of_both_kinds_are_kept_apart(void **)
{
	struct cache *c = cache_create(8);
	struct addr v4, mapped, v6;
	assert_int_equal(addr_parse("192.0.2.1", &v4), 0);
	assert_int_equal(addr_parse("::ffff:192.0.2.1", &mapped), 0);
	assert_int_equal(addr_parse("::192.0.2.1", &v6), 0);
	cache_set(c, &v4, "four", 10);
	cache_set(c, &v6, "six", 10);
	assert_string_equal(cache_find(c, &v4, 0), "four");
	assert_string_equal(cache_find(c, &mapped, 0), "four"); // the same address
	assert_string_equal(cache_find(c, &v6, 0), "six");
	cache_free(c);
}

#define MODEL_CAP 50
#define MODEL_ADDRS 120

// What the cache should hold: slots in order of use, the most recent first.
struct model {
	unsigned n;
	struct {
		unsigned addr, name;
		uint64_t expires_ns;
	} slots[MODEL_CAP + 1];
};

static unsigned model_place(const struct model *m, unsigned addr)
{
	unsigned i = 0;
	while (i < m->n && m->slots[i].addr != addr)
		i++;
	return i;
}

// Takes the slot at `i` (or a new one) to the front.
static void model_use(struct model *m, unsigned i)
{
	__typeof__(m->slots[0]) slot = m->slots[i];
	memmove(&m->slots[1], &m->slots[0], i * sizeof(slot));
	m->slots[0] = slot;
}

static void model_set(struct model *m, unsigned addr, unsigned name, uint64_t expires_ns)
{
	unsigned i = model_place(m, addr);
	m->n += i == m->n;
	m->slots[i].addr = addr;
	m->slots[i].name = name;
	m->slots[i].expires_ns = expires_ns;
	model_use(m, i);
	m->n = m->n > MODEL_CAP ? MODEL_CAP : m->n;
}

static void it_does_what_a_plain_list_would_do(void **)
{
	struct cache *c = cache_create(MODEL_CAP);
	static struct model m;
	unsigned n_found = 0;
	char name[16];
	srand(1);
	for (unsigned round = 0; round < 50000; round++) {
		unsigned addr = (unsigned)rand() % MODEL_ADDRS;
		if (rand() % 2) {
			uint64_t expires_ns = round + (unsigned)rand() % 200;
			snprintf(name, sizeof(name), "n%u", round);
			set(c, addr, name, expires_ns);
			model_set(&m, addr, round, expires_ns);
			continue;
		}
		unsigned i = model_place(&m, addr);
		const char *got = find(c, addr, round);
		if (i == m.n || m.slots[i].expires_ns <= round) {
			assert_null(got);
			continue;
		}
		snprintf(name, sizeof(name), "n%u", m.slots[i].name);
		assert_non_null(got);
		assert_string_equal(got, name);
		model_use(&m, i);
		n_found++;
	}
	assert_true(n_found > 1000);
	cache_free(c);
}

static void a_name_that_is_too_long_is_cut(void **)
{
	struct cache *c = cache_create(2);
	char name[1000];
	memset(name, 'a', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	set(c, 1, name, 10);
	assert_int_equal(strlen(find(c, 1, 0)), CACHE_NAME_LEN - 1);
	cache_free(c);
}

static void check_clean(const char *name, const char *want)
{
	char got[CACHE_NAME_LEN] = "before";
	cache_clean_name(name, got);
	assert_string_equal(got, want);
}

static void plain_names_are_shown_without_their_final_dot(void **)
{
	check_clean("dns.google.com", "dns.google.com");
	check_clean("dns.google.com.", "dns.google.com");
	check_clean("_tcp.Example-1.NET", "_tcp.Example-1.NET");
	check_clean("xn--bcher-kva.example", "xn--bcher-kva.example");
	check_clean("localhost", "localhost");
	check_clean("", "");
	check_clean(".", "");
}

static void names_that_are_no_names_are_not_shown(void **)
{
	static const char *const names[] = {
		"a b",
		"<script>alert(1)</script>",
		"a\nb",
		"a\x1b[31m",
		"a\x7f",
		"a\x01",
		"m\xc3\xbcnchen.example",
		"\xff\xfe",
		"a\xe2\x80\xae",
		"\"a\"",
		"a'b",
		"a\\046b",
		"a/b",
		"a:b",
		"a@b",
		"a%00b",
		"a,b",
		".example",
		"..",
		" a",
		"a "};
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		check_clean(names[i], "");
	for (int byte = 1; byte < 256; byte++) {
		char name[4] = {'a', (char)byte, 'b', '\0'}, got[CACHE_NAME_LEN];
		cache_clean_name(name, got);
		bool plain = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
			     (byte >= 'A' && byte <= 'Z') || byte == '-' || byte == '_' ||
			     byte == '.';
		assert_string_equal(got, plain ? name : "");
	}
}

static void a_name_longer_than_any_may_be_is_not_shown(void **)
{
	char name[400];
	memset(name, 'a', sizeof(name));
	name[253] = '\0';
	check_clean(name, name);
	name[253] = '.';
	name[254] = '\0';
	char got[CACHE_NAME_LEN];
	cache_clean_name(name, got); // 253 without the final dot
	assert_int_equal(strlen(got), 253);
	name[253] = 'a';
	check_clean(name, "");
	name[254] = 'a';
	name[399] = '\0';
	check_clean(name, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_set_is_found_until_it_expires),
		cmocka_unit_test(an_address_without_a_name_is_known_too),
		cmocka_unit_test(an_entry_is_replaced_in_its_place),
		cmocka_unit_test(the_least_recently_used_goes_first),
		cmocka_unit_test(a_cache_of_none_holds_one),
		cmocka_unit_test(addresses_of_both_kinds_are_kept_apart),
		cmocka_unit_test(it_does_what_a_plain_list_would_do),
		cmocka_unit_test(a_name_that_is_too_long_is_cut),
		cmocka_unit_test(plain_names_are_shown_without_their_final_dot),
		cmocka_unit_test(names_that_are_no_names_are_not_shown),
		cmocka_unit_test(a_name_longer_than_any_may_be_is_not_shown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
