// SPDX-License-Identifier: Apache-2.0
#include "collector/store/doc.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/stores.h"

static void put(struct stores *f, enum doc_kind kind, const char *name, const char *text)
{
	assert_int_equal(store_doc_put(f->store, kind, name, text, strlen(text)), 0);
}

static int write_down(void *ctx, const struct doc *d)
{
	char *all = ctx;
	assert_int_equal(strlen(d->text), d->len);
	sprintf(all + strlen(all), "%s=%s ", d->name, d->text);
	return 0;
}

static void documents_come_in_order_of_name_and_by_kind(void **state)
{
	struct stores *f = *state;
	char all[256] = "";
	put(f, DOC_FEED, "b", "2");
	put(f, DOC_FEED, "a", "1");
	put(f, DOC_HUNT, "a", "other");
	put(f, DOC_FEED, "b", "3");
	assert_int_equal(store_doc_each(f->store, DOC_FEED, write_down, all), 0);
	assert_string_equal(all, "a=1 b=3 ");
	all[0] = '\0';
	assert_int_equal(store_view_doc_each(stores_view(f), DOC_HUNT, write_down, all), 0);
	assert_string_equal(all, "a=other ");
}

static void a_deleted_document_is_gone_and_an_absent_one_is_said_so(void **state)
{
	struct stores *f = *state;
	char all[256] = "";
	put(f, DOC_ALLOW, "x", "1");
	assert_int_equal(store_doc_del(f->store, DOC_ALLOW, "x"), 0);
	assert_int_equal(store_doc_del(f->store, DOC_ALLOW, "x"), -ENOENT);
	assert_int_equal(store_doc_each(f->store, DOC_ALLOW, write_down, all), 0);
	assert_string_equal(all, "");
}

static void names_and_texts_have_bounds(void **state)
{
	struct stores *f = *state;
	char name[DOC_NAME_MAX + 2] = "";
	memset(name, 'n', DOC_NAME_MAX);
	assert_int_equal(store_doc_put(f->store, DOC_FEED, name, "1", 1), 0);
	assert_int_equal(store_doc_del(f->store, DOC_FEED, name), 0);
	name[DOC_NAME_MAX] = 'n';
	assert_int_equal(store_doc_put(f->store, DOC_FEED, name, "1", 1), -EINVAL);
	assert_int_equal(store_doc_put(f->store, DOC_FEED, "", "1", 1), -EINVAL);
	assert_int_equal(store_doc_put(f->store, DOC_FEED, "a", "", 0), -EINVAL);
}

static int stop(void *ctx, const struct doc *)
{
	return ++*(int *)ctx;
}

static void a_walk_ends_when_it_is_told_to(void **state)
{
	struct stores *f = *state;
	int n = 6;
	put(f, DOC_FEED, "a", "1");
	put(f, DOC_FEED, "b", "1");
	assert_int_equal(store_doc_each(f->store, DOC_FEED, stop, &n), 7);
	assert_int_equal(n, 7);
}

static void a_damaged_document_is_told_and_the_others_are_given(void **state)
{
	struct stores *f = *state;
	char all[256] = "";
	struct key key = {.b = {KEY_DOC, KEY_VERSION, DOC_FEED, 'b'}, .len = 4};
	put(f, DOC_FEED, "a", "111111");
	put(f, DOC_FEED, "b", "222222");
	put(f, DOC_FEED, "c", "333333");
	stores_close(f);
	stores_damage(f, &key);
	stores_open(f);
	assert_int_equal(store_doc_each(f->store, DOC_FEED, write_down, all), -EIO);
	assert_string_equal(all, "a=111111 c=333333 ");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, stores_set_up, stores_tear_down)
		TEST(documents_come_in_order_of_name_and_by_kind),
		TEST(a_deleted_document_is_gone_and_an_absent_one_is_said_so),
		TEST(names_and_texts_have_bounds),
		TEST(a_walk_ends_when_it_is_told_to),
		TEST(a_damaged_document_is_told_and_the_others_are_given),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
