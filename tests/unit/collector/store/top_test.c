// SPDX-License-Identifier: Apache-2.0
#include "collector/store/top.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/rows.h"

struct item {
	uint64_t value;
	uint32_t id;
	uint8_t ballast[52]; // swaps move more than a word
};

// The largest first; ties by id.
static int cmp(const void *left, const void *right)
{
	const struct item *l = left, *r = right;
	if (l->value != r->value)
		return l->value > r->value ? -1 : 1;
	return l->id < r->id ? -1 : l->id > r->id;
}

static void check(const struct item *items, size_t n, size_t cap)
{
	struct item *sorted = malloc((n + 1) * sizeof(*sorted));
	struct item *kept = malloc(cap ? cap * sizeof(*kept) : 1);
	struct top top = {.items = kept, .width = sizeof(*kept), .cap = cap, .cmp = cmp};
	for (size_t i = 0; i < n; i++) {
		sorted[i] = items[i];
		top_add(&top, &items[i]);
	}
	qsort(sorted, n, sizeof(*sorted), cmp);
	top_sort(&top);
	assert_int_equal(top.n, n < cap ? n : cap);
	if (top.n)
		assert_memory_equal(kept, sorted, top.n * sizeof(*kept));
	free(sorted);
	free(kept);
}

static void fill(struct item *items, size_t n, uint64_t range)
{
	for (size_t i = 0; i < n; i++) {
		items[i] = (struct item){.value = rows_below(range), .id = (uint32_t)i};
		memset(items[i].ballast, (int)i, sizeof(items[i].ballast));
	}
}

static void the_n_first_are_those_of_a_sort(void **state)
{
	struct item items[1000];
	(void)state;
	for (int round = 0; round < 200; round++) {
		size_t n = rows_below(1000);
		fill(items, n, round % 2 ? 20 : UINT64_MAX); // with and without ties
		check(items, n, 1 + rows_below(round % 3 ? 10 : 1100));
	}
}

static void the_order_they_come_in_does_not_matter(void **state)
{
	struct item items[300];
	(void)state;
	for (int falling = 0; falling < 2; falling++) {
		for (uint32_t i = 0; i < 300; i++)
			items[i] = (struct item){.value = falling ? 300 - i : i, .id = i};
		for (size_t cap = 0; cap < 20; cap++)
			check(items, 300, cap);
		check(items, 300, 300);
		check(items, 300, 301);
	}
}

static void none_of_none_is_none(void **state)
{
	(void)state;
	check(NULL, 0, 0);
	check(NULL, 0, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_n_first_are_those_of_a_sort),
		cmocka_unit_test(the_order_they_come_in_does_not_matter),
		cmocka_unit_test(none_of_none_is_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
