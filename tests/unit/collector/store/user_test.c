// SPDX-License-Identifier: Apache-2.0
#include "collector/store/checksum.h"
#include "collector/store/user.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/stores.h"
#include "tests/unit/collector/store/values.h"

static struct store_user random_user(const char *api_id)
{
	struct store_user u = {0};
	snprintf(u.api_id, sizeof(u.api_id), "%s", api_id);
	snprintf(u.name, sizeof(u.name), "name of %.40s", api_id);
	snprintf(u.entity, sizeof(u.entity), "netflow");
	snprintf(u.role, sizeof(u.role), "analyst");
	for (int i = 0; i < STORE_SECRET_HASH; i++)
		u.secret_hash[i] = (uint8_t)rows_random();
	u.generation = rows_random();
	u.created_ns = rows_random();
	return u;
}

struct decoded {
	struct key key;
	struct store_user user;
};

static int decode(void *ctx, const void *p, size_t len)
{
	struct decoded *d = ctx;
	return user_decode(key_slice(&d->key), (struct slice){p, len}, &d->user);
}

static void a_user_comes_back_and_a_damaged_one_does_not(void **state)
{
	struct store_user longest = random_user("0123456789abcdef0123456789abcdef");
	struct store_user shortest = {.api_id = "a"};
	(void)state;
	memset(longest.name, 'n', STORE_NAME_MAX);
	memset(longest.entity, 'e', STORE_NAME_MAX);
	memset(longest.role, 'r', sizeof(longest.role) - 1);
	const struct store_user users[] = {random_user("00"), longest, shortest};
	for (int i = 0; i < 3; i++) {
		struct decoded d = {.key = key_name(KEY_USER, users[i].api_id)};
		struct values values = {decode, &d};
		struct bytes out = {0};
		assert_int_equal(user_encode(&users[i], &out), 0);
		assert_int_equal(values_decode(&values, out.p, out.len), 0);
		assert_memory_equal(&d.user, &users[i], sizeof(d.user));
		values_refuse_truncation(&values, &out);
		values_refuse_flips(&values, &out);
		assert_memory_equal(&d.user, &users[i], sizeof(d.user)); // untouched
		bytes_u8(&out, 0);
		assert_int_equal(values_decode(&values, out.p, out.len), -EIO);
		bytes_fini(&out);
	}
}

static void an_id_that_is_too_long_is_refused(void **state)
{
	struct store_user user = random_user("00");
	struct decoded d = {.key = key_name(KEY_USER, "0123456789abcdef0123456789abcdef0")};
	struct bytes out = {0};
	(void)state;
	assert_int_equal(user_encode(&user, &out), 0);
	assert_int_equal(decode(&d, out.p, out.len), -EIO);
	d.key = (struct key){.len = 1, .b = {KEY_USER}};
	assert_int_equal(decode(&d, out.p, out.len), -EIO);
	bytes_fini(&out);
}

// A text longer than its member under a right checksum: nothing is written behind the member.
static void texts_that_are_too_long_are_refused(void **state)
{
	struct store_user user = random_user("00");
	struct decoded d = {.key = key_name(KEY_USER, "00")};
	struct values values = {decode, &d};
	struct bytes out = {0};
	(void)state;
	assert_int_equal(user_encode(&user, &out), 0);
	for (int len = STORE_NAME_MAX + 1; len < 256; len++) {
		out.p[1] = (uint8_t)len; // of the name
		uint64_t sum = htole64(checksum64(out.p, out.len - 8));
		memcpy(out.p + out.len - 8, &sum, 8);
		assert_int_equal(values_decode(&values, out.p, out.len), -EIO);
	}
	bytes_fini(&out);
}

struct seen {
	struct store_user users[4];
	int n, stop_after;
};

static int see(void *ctx, const struct store_user *user)
{
	struct seen *s = ctx;
	assert_true(s->n < 4);
	s->users[s->n++] = *user;
	return s->n == s->stop_after ? 7 : 0;
}

static void users_are_kept_in_the_order_of_their_ids(void **state)
{
	struct stores *f = *state;
	struct store_user users[] = {random_user("01"), random_user("a"), random_user("a0")};
	struct seen seen = {0};
	for (int i = 2; i >= 0; i--)
		assert_int_equal(store_user_add(f->store, &users[i]), 0);
	for (int round = 0; round < 2; round++) {
		seen = (struct seen){0};
		assert_int_equal(store_user_each(f->store, see, &seen), 0);
		assert_int_equal(seen.n, 3);
		assert_memory_equal(seen.users, users, sizeof(users));
		stores_close(f);
		stores_open(f);
	}
	seen = (struct seen){.stop_after = 2};
	assert_int_equal(store_user_each(f->store, see, &seen), 7);
	assert_int_equal(seen.n, 2);
}

static void users_are_added_once_changed_and_deleted(void **state)
{
	struct stores *f = *state;
	struct store_user user = random_user("00"), got;
	assert_int_equal(store_user_update(f->store, &user), -ENOENT);
	assert_int_equal(store_user_del(f->store, "00"), -ENOENT);
	assert_int_equal(store_user_add(f->store, &user), 0);
	assert_int_equal(store_user_add(f->store, &user), -EEXIST);
	user.generation++;
	assert_int_equal(store_user_update(f->store, &user), 0);
	assert_int_equal(store_view_user(stores_view(f), "00", &got), 0);
	assert_int_equal(got.generation, user.generation);
	assert_int_equal(store_user_del(f->store, "0"), -ENOENT);
	assert_int_equal(store_user_del(f->store, "00"), 0);
	assert_int_equal(store_user_del(f->store, "00"), -ENOENT);
	assert_int_equal(store_view_user(stores_view(f), "00", &got), -ENOENT);
	assert_int_equal(store_user_add(f->store, &user), 0);
}

static void ids_that_cannot_be_are_refused(void **state)
{
	struct stores *f = *state;
	struct store_user user = random_user("");
	assert_int_equal(store_user_add(f->store, &user), -EINVAL);
	memset(user.api_id, 'a', sizeof(user.api_id)); // without an end
	assert_int_equal(store_user_add(f->store, &user), -EINVAL);
	assert_int_equal(store_user_del(f->store, ""), -ENOENT);
}

// An ended credential is not honoured for as long as flows may be late.
static void readers_know_of_changed_users_at_once(void **state)
{
	struct stores *f = *state;
	struct store_user user = random_user("00"), got;
	(void)stores_view(f);
	for (int i = 0; i < 3; i++) {
		if (i == 0)
			assert_int_equal(store_user_add(f->store, &user), 0);
		else if (i == 1)
			assert_int_equal(store_user_update(f->store, &user), 0);
		else
			assert_int_equal(store_user_del(f->store, "00"), 0);
		assert_int_equal(store_reader_refresh(f->reader, 3600 * NS_PER_SEC), 0);
		store_view_close(f->view);
		f->view = store_view_open(f->reader);
		int ret = store_view_user(f->view, "00", &got);
		assert_int_equal(ret, i < 2 ? 0 : -ENOENT);
		user.generation++;
		if (i < 2)
			assert_int_equal(got.generation + 1, user.generation);
	}
}

static void a_damaged_user_is_told(void **state)
{
	struct stores *f = *state;
	struct store_user user = random_user("00");
	struct key key = key_name(KEY_USER, "00");
	struct seen seen = {0};
	assert_int_equal(store_user_add(f->store, &user), 0);
	stores_close(f);
	stores_damage(f, &key);
	stores_open(f);
	assert_int_equal(store_user_each(f->store, see, &seen), -EIO);
	assert_int_equal(seen.n, 0);
	assert_int_equal(store_user_update(f->store, &user), 0); // replaced
	assert_int_equal(store_user_each(f->store, see, &seen), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, stores_set_up, stores_tear_down)
		cmocka_unit_test(a_user_comes_back_and_a_damaged_one_does_not),
		cmocka_unit_test(an_id_that_is_too_long_is_refused),
		cmocka_unit_test(texts_that_are_too_long_are_refused),
		TEST(users_are_kept_in_the_order_of_their_ids),
		TEST(users_are_added_once_changed_and_deleted),
		TEST(ids_that_cannot_be_are_refused),
		TEST(readers_know_of_changed_users_at_once),
		TEST(a_damaged_user_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
