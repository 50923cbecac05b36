// SPDX-License-Identifier: Apache-2.0
#include "collector/store/witness.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/rows.h"
#include "tests/unit/collector/store/values.h"

#include <fcntl.h>

#define SLOT_LEN 64

struct fixture {
	char dir[64];
	int fd;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct commit_mark m = {1, 1, 1};
	rows_dir(f->dir);
	assert_int_equal(witness_open(f->dir, &f->fd, &m), 0);
	assert_int_equal(m.next_number + m.commits + m.rows, 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	close(f->fd);
	rows_dir_remove(f->dir);
	free(f);
	return 0;
}

static struct commit_mark mark_of(uint64_t commits)
{
	return (struct commit_mark
	){.next_number = 3 * commits, .commits = commits, .rows = 1000 * commits};
}

// The commit of the last mark of the file.
static uint64_t reopen(struct fixture *f)
{
	struct commit_mark m;
	close(f->fd);
	assert_int_equal(witness_open(f->dir, &f->fd, &m), 0);
	assert_int_equal(m.next_number, 3 * m.commits);
	assert_int_equal(m.rows, 1000 * m.commits);
	return m.commits;
}

static int decode(void *ctx, const void *p, size_t len)
{
	struct commit_mark *m = ctx;
	return witness_mark_decode(p, len, m);
}

static void a_mark_comes_back_and_a_damaged_one_does_not(void **state)
{
	struct commit_mark m, want = {UINT64_MAX, 1ull << 40, 12345678901234};
	uint8_t mark[WITNESS_MARK_LEN];
	struct values values = {decode, &m};
	struct bytes b = {.p = mark, .len = sizeof(mark)};
	(void)state;
	witness_mark_encode(&want, mark);
	assert_int_equal(values_decode(&values, mark, sizeof(mark)), 0);
	assert_memory_equal(&m, &want, sizeof(m));
	values_refuse_truncation(&values, &b);
	values_refuse_flips(&values, &b);
	uint8_t longer[WITNESS_MARK_LEN + 1] = {0};
	memcpy(longer, mark, sizeof(mark));
	assert_int_equal(values_decode(&values, longer, sizeof(longer)), -EIO);
}

static void the_last_mark_is_found_again(void **state)
{
	struct fixture *f = *state;
	for (uint64_t i = 1; i < 20; i++) {
		struct commit_mark m = mark_of(i);
		witness_write(f->fd, &m);
		assert_int_equal(reopen(f), i);
	}
	assert_int_equal(lseek(f->fd, 0, SEEK_END), 2 * SLOT_LEN);
}

// Whatever a write cut short leaves of a slot, the other one holds.
static void a_torn_slot_leaves_the_mark_before(void **state)
{
	struct fixture *f = *state;
	for (uint64_t i = 1; i < 3; i++) {
		struct commit_mark m = mark_of(i);
		witness_write(f->fd, &m);
	}
	for (size_t len = 1; len < WITNESS_MARK_LEN; len++) {
		struct commit_mark last = mark_of(2), next = mark_of(3);
		uint8_t slot[WITNESS_MARK_LEN];
		witness_mark_encode(&next, slot);
		witness_write(f->fd, &last);
		assert_int_equal(pwrite(f->fd, slot, len, SLOT_LEN), len);
		assert_int_equal(reopen(f), 2);
	}
}

static void a_cut_or_damaged_file_has_what_is_whole(void **state)
{
	struct fixture *f = *state;
	for (uint64_t i = 1; i < 5; i++) {
		struct commit_mark m = mark_of(i);
		witness_write(f->fd, &m);
	}
	assert_int_equal(ftruncate(f->fd, SLOT_LEN + 20), 0); // commit 3 goes to the second slot
	assert_int_equal(reopen(f), 4);
	assert_int_equal(pwrite(f->fd, "x", 1, 9), 1);
	assert_int_equal(reopen(f), 0);
	struct commit_mark m = mark_of(5);
	witness_write(f->fd, &m);
	assert_int_equal(reopen(f), 5);
}

static void a_folder_that_is_not_there_is_an_error(void **state)
{
	struct commit_mark m;
	int fd;
	(void)state;
	assert_int_equal(witness_open("/nonexistent", &fd, &m), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(a_mark_comes_back_and_a_damaged_one_does_not),
		TEST(the_last_mark_is_found_again),
		TEST(a_torn_slot_leaves_the_mark_before),
		TEST(a_cut_or_damaged_file_has_what_is_whole),
		TEST(a_folder_that_is_not_there_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
