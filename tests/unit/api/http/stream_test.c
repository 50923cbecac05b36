// SPDX-License-Identifier: Apache-2.0
#include "api/http/stream.h"
#include "tests/unit/cmocka.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define S NS_PER_SEC

static void count(void *ctx)
{
	++*(int *)ctx;
}

static enum stream_state take(struct stream *s, const char *want)
{
	char *text;
	size_t len;
	enum stream_state state = stream_take(s, &text, &len);
	if (want) {
		assert_int_equal(len, strlen(want));
		assert_memory_equal(text, want, len);
	} else {
		assert_null(text);
	}
	free(text);
	return state;
}

static void free_both(struct stream *s)
{
	stream_release(s);
	stream_release(s);
}

static void what_is_written_is_read(void **)
{
	struct stream *s = stream_create();
	assert_int_equal(stream_push(s, "one ", 4), 0);
	assert_int_equal(stream_push(s, "two", 3), 0);
	assert_int_equal(take(s, "one two"), STREAM_OPEN);
	assert_int_equal(take(s, NULL), STREAM_OPEN);
	assert_int_equal(stream_push(s, "three", 5), 0);
	stream_end(s, true);
	assert_int_equal(take(s, "three"), STREAM_DONE);
	free_both(s);
}

static void a_broken_end_is_seen(void **)
{
	struct stream *s = stream_create();
	stream_end(s, false);
	assert_int_equal(take(s, NULL), STREAM_BROKEN);
	stream_end(s, true); // the first word counts
	assert_int_equal(take(s, NULL), STREAM_BROKEN);
	free_both(s);
}

static void the_reader_is_woken_once_for_each_empty_look(void **)
{
	struct stream *s = stream_create();
	int n = 0;
	stream_watch(s, count, &n);
	assert_int_equal(stream_push(s, "a", 1), 0);
	assert_int_equal(n, 0); // it has not looked yet
	take(s, "a");
	take(s, NULL);
	assert_int_equal(stream_push(s, "b", 1), 0);
	assert_int_equal(stream_push(s, "c", 1), 0);
	assert_int_equal(n, 1);
	take(s, "bc");
	take(s, NULL);
	stream_end(s, true);
	assert_int_equal(n, 2);
	free_both(s);
}

static void a_full_stream_takes_nothing_more(void **)
{
	struct stream *s = stream_create();
	char *text = calloc(1, STREAM_CAP);
	assert_int_equal(stream_push(s, text, STREAM_CAP - 1), 0);
	assert_int_equal(stream_push(s, "ab", 2), -ENOBUFS);
	assert_int_equal(stream_push(s, "a", 1), 0);
	assert_int_equal(stream_push(s, "a", 1), -ENOBUFS);
	free(text);
	free_both(s);
}

static void nobody_writes_to_a_closed_one(void **)
{
	struct stream *s = stream_create();
	struct query_stop stop = {.deadline_ns = UINT64_MAX};
	int n = 0;
	stream_watch(s, count, &n);
	take(s, NULL);
	assert_false(stream_is_closed(s));
	stream_close(s);
	assert_true(stream_is_closed(s));
	assert_int_equal(stream_push(s, "a", 1), -EPIPE);
	assert_int_equal(stream_write(s, "a", 1, S, &stop), -EPIPE);
	stream_end(s, true);
	assert_int_equal(n, 0);
	free_both(s);
}

static void a_writer_does_not_wait_for_ever(void **)
{
	struct stream *s = stream_create();
	struct query_stop stop = {.deadline_ns = UINT64_MAX};
	char *text = calloc(1, STREAM_CAP);
	assert_int_equal(stream_write(s, text, STREAM_CAP, S, &stop), 0);
	assert_int_equal(stream_write(s, "a", 1, S / 10, &stop), -ETIMEDOUT);
	stop.gone = true;
	assert_int_equal(stream_write(s, "a", 1, 60 * S, &stop), -ECANCELED);
	free(text);
	free_both(s);
}

#define PIECE 70000
#define PIECES 100

static void *read_all(void *arg)
{
	struct stream *s = arg;
	size_t *ret = calloc(1, sizeof(*ret)), len;
	enum stream_state state;
	do {
		char *text;
		state = stream_take(s, &text, &len);
		for (size_t i = 0; i < len; i++)
			assert_int_equal((unsigned char)text[i], (*ret + i) / PIECE);
		*ret += len;
		free(text);
	} while (state == STREAM_OPEN);
	return ret;
}

static void more_than_its_size_passes_through(void **)
{
	struct stream *s = stream_create();
	struct query_stop stop = {.deadline_ns = UINT64_MAX};
	char text[PIECE];
	pthread_t reader;
	void *got;
	assert_int_equal(pthread_create(&reader, NULL, read_all, s), 0);
	for (int i = 0; i < PIECES; i++) {
		memset(text, i, PIECE);
		assert_int_equal(stream_write(s, text, PIECE, 10 * S, &stop), 0);
	}
	stream_end(s, true);
	pthread_join(reader, &got);
	assert_int_equal(*(size_t *)got, PIECE * PIECES);
	free(got);
	free_both(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(a_broken_end_is_seen),
		cmocka_unit_test(the_reader_is_woken_once_for_each_empty_look),
		cmocka_unit_test(a_full_stream_takes_nothing_more),
		cmocka_unit_test(nobody_writes_to_a_closed_one),
		cmocka_unit_test(a_writer_does_not_wait_for_ever),
		cmocka_unit_test(more_than_its_size_passes_through),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
