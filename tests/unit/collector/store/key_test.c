// SPDX-License-Identifier: Apache-2.0
#include "collector/store/key.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/rows.h"

#define ENTITY 0x0102
#define HOUR 0x03040506
#define NUMBER 0x0708090a0b0c0d0e

static void assert_key(struct key k, const void *want, size_t len)
{
	assert_int_equal(k.len, len);
	assert_memory_equal(k.b, want, len);
}

static void the_bytes_of_each_kind_are_as_written_down(void **state)
{
	static const uint8_t v6[16] = {0x20, 1, 13, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9};
	struct addr addr = addr_of_v6(v6);
	(void)state;
	assert_key(key_name(KEY_ENTITY, "netflow"), "E\1netflow", 9);
	assert_key(key_name(KEY_META, "commit"), "M\1commit", 8);
	assert_key(key_name(KEY_USER, "0f"), "U\1\60\146", 4);
	assert_key(key_hour(KEY_HOUR, ENTITY, HOUR), "H\1\1\2\3\4\5\6", 8);
	assert_key(
		key_block(KEY_SUMMARY, ENTITY, HOUR, NUMBER),
		"B\1\1\2\3\4\5\6\7\10\11\12\13\14\15\16",
		16
	);
	assert_key(
		key_block(KEY_ARRIVED, ENTITY, HOUR, NUMBER),
		"I\1\1\2\3\4\5\6\7\10\11\12\13\14\15\16",
		16
	);
	assert_key(
		key_block(KEY_JOURNAL, ENTITY, HOUR, NUMBER),
		"J\1\1\2\3\4\5\6\7\10\11\12\13\14\15\16",
		16
	);
	assert_key(
		key_column(ENTITY, HOUR, NUMBER, 43),
		"C\1\1\2\3\4\5\6\7\10\11\12\13\14\15\16\53",
		17
	);
	assert_key(
		key_addrs(KEY_ADDRS, ENTITY, HOUR, &addr),
		"A\1\1\2\3\4\5\6\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\11",
		24
	);
	assert_key(
		key_addrs(KEY_INDEX, ENTITY, HOUR, &addr),
		"X\1\1\2\3\4\5\6\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\11",
		24
	);
	assert_key(
		key_names(ENTITY, HOUR, "ten.elpmaxe", 11, 0x0708090a),
		"N\1\1\2\3\4\5\6ten.elpmaxe\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\7\10\11\12",
		44
	);
	assert_key(key_ports(ENTITY, HOUR, 17, 0x0102), "P\1\1\2\3\4\5\6\21\1\2", 11);
}

static int cmp_parts(const struct key_parts *l, const struct key_parts *r)
{
	if (l->entity != r->entity)
		return l->entity < r->entity ? -1 : 1;
	if (l->hour != r->hour)
		return l->hour < r->hour ? -1 : 1;
	return l->number < r->number ? -1 : l->number > r->number;
}

static struct key_parts random_parts(void)
{
	// Few values, so that members are often equal, and bytes whose order as signed differs.
	static const uint32_t some[] = {0, 1, 127, 128, 255, 256, 65535, 65536, UINT32_MAX};
	return (struct key_parts){
		.entity = (uint16_t)some[rows_below(7)],
		.hour = some[rows_below(9)],
		.number = (uint64_t)some[rows_below(9)] << (rows_below(2) * 32),
	};
}

static int sign(int v)
{
	return v < 0 ? -1 : v > 0;
}

static void keys_sort_as_their_numbers(void **state)
{
	(void)state;
	for (int i = 0; i < 20000; i++) {
		struct key_parts l = random_parts(), r = random_parts();
		struct key a = key_block(KEY_SUMMARY, l.entity, l.hour, l.number);
		struct key b = key_block(KEY_SUMMARY, r.entity, r.hour, r.number);
		assert_int_equal(sign(memcmp(a.b, b.b, a.len)), cmp_parts(&l, &r));
	}
}

static void a_parsed_key_gives_its_parts(void **state)
{
	static const enum key_kind numbered[] = {KEY_SUMMARY, KEY_ARRIVED, KEY_JOURNAL};
	struct key_parts at;
	(void)state;
	for (int i = 0; i < 1000; i++) {
		struct key_parts want = random_parts();
		enum key_kind kind = numbered[i % 3];
		struct key k = key_block(kind, want.entity, want.hour, want.number);
		assert_true(key_parse(key_slice(&k), kind, &at));
		assert_int_equal(cmp_parts(&at, &want), 0);
		k = key_column(want.entity, want.hour, want.number, (uint8_t)i);
		assert_true(key_parse(key_slice(&k), KEY_COLUMN, &at));
		assert_int_equal(cmp_parts(&at, &want), 0);
		k = key_hour(KEY_HOUR, want.entity, want.hour);
		assert_true(key_parse(key_slice(&k), KEY_HOUR, &at));
		want.number = 0;
		assert_int_equal(cmp_parts(&at, &want), 0);
	}
}

static void foreign_and_short_keys_are_not_parsed(void **state)
{
	struct key k = key_block(KEY_JOURNAL, ENTITY, HOUR, NUMBER);
	struct key_parts at = {.hour = 99};
	(void)state;
	assert_false(key_parse(key_slice(&k), KEY_ARRIVED, &at));
	for (size_t len = 0; len < k.len; len++) {
		uint8_t *copy = malloc(len ? len : 1);
		memcpy(copy, k.b, len);
		assert_false(key_parse((struct slice){copy, len}, KEY_JOURNAL, &at));
		free(copy);
	}
	k.b[1] = KEY_VERSION + 1;
	assert_false(key_parse(key_slice(&k), KEY_JOURNAL, &at));
	assert_int_equal(at.hour, 99);
}

static void an_hour_is_the_prefix_of_what_it_holds_and_of_nothing_else(void **state)
{
	struct key hour = key_hour(KEY_COLUMN, ENTITY, HOUR);
	struct key in = key_column(ENTITY, HOUR, UINT64_MAX, 255);
	struct key before = key_column(ENTITY, HOUR - 1, UINT64_MAX, 255);
	struct key after = key_column(ENTITY, HOUR + 1, 0, 0);
	struct key other = key_block(KEY_JOURNAL, ENTITY, HOUR, 0);
	(void)state;
	assert_true(key_has_prefix(key_slice(&in), &hour));
	assert_false(key_has_prefix(key_slice(&before), &hour));
	assert_false(key_has_prefix(key_slice(&after), &hour));
	assert_false(key_has_prefix(key_slice(&other), &hour));
	assert_false(key_has_prefix(key_slice(&hour), &in));
	assert_true(key_is(key_slice(&in), &in));
	assert_false(key_is(key_slice(&in), &hour));
	assert_false(key_is(key_slice(&hour), &in));
}

static void the_longest_name_fits_and_longer_ones_are_cut(void **state)
{
	char name[STORE_NAME_MAX + 20];
	(void)state;
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = 0;
	struct key k = key_name(KEY_USER, name);
	assert_int_equal(k.len, 2 + STORE_NAME_MAX);
	assert_true(k.len <= KEY_LEN_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_bytes_of_each_kind_are_as_written_down),
		cmocka_unit_test(keys_sort_as_their_numbers),
		cmocka_unit_test(a_parsed_key_gives_its_parts),
		cmocka_unit_test(foreign_and_short_keys_are_not_parsed),
		cmocka_unit_test(an_hour_is_the_prefix_of_what_it_holds_and_of_nothing_else),
		cmocka_unit_test(the_longest_name_fits_and_longer_ones_are_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
