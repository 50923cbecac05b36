// SPDX-License-Identifier: Apache-2.0

// What the control socket tells of exporters, of a real ingest on loopback sockets.

#include "collector/commands.h"
#include "collector/commands_exporters.h"
#include "collector/ingest/ingest.h"
#include "lib/base/clock.h"
#include "tests/unit/collector/store/rows.h"
#include "tests/unit/lib/ipfix/message.h"

#include <time.h>
#include <unistd.h>

#define WAIT_NS (10 * NS_PER_SEC)

struct fixture {
	char dir[64];
	struct ledger ledger;
	struct endpoint listen;
	struct commands_context context;
	int fd;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char error[STORE_ERROR_LEN] = "", warning[INGEST_WARNING_LEN];
	rows_dir(f->dir);
	struct store_options so = {.dir = f->dir, .block_rows = 1000};
	assert_int_equal(store_open(&so, &f->context.store, error), 0);
	struct commit_options co = {
		.store = f->context.store,
		.ledger = &f->ledger,
		.n_batches = 8,
		.batch_rows = 100,
	};
	assert_int_equal(commit_start(&co, &f->context.commit), 0);
	struct sockaddr_in *sin = (struct sockaddr_in *)&f->listen.sa;
	sin->sin_family = AF_INET;
	sin->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	f->listen.kind = INGEST_UDP;
	f->listen.len = sizeof(*sin);
	struct ingest_options io = ingest_defaults();
	io.listen = &f->listen;
	io.n_listen = 1;
	io.rcvbuf = 1 << 18;
	io.commit = f->context.commit;
	io.ledger = &f->ledger;
	assert_int_equal(ingest_start(&io, &f->context.ingest, warning), 0);
	f->context.ledger = &f->ledger;
	sin->sin_port = htons((uint16_t)ingest_port(f->context.ingest, 0));
	f->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(f->fd, (struct sockaddr *)sin, sizeof(*sin)), 0);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	close(f->fd);
	ingest_stop(f->context.ingest);
	commit_stop(f->context.commit);
	store_close(f->context.store);
	rows_dir_remove(f->dir);
	free(f);
	return 0;
}

static json_t *ask(struct fixture *f, json_t *args, char error[256])
{
	error[0] = '\0';
	json_t *list = cmd_exporters(&f->context, args, error);
	json_decref(args);
	return list;
}

// The only exporter, once as many packets of it are known.
static json_t *the_exporter(struct fixture *f, json_int_t packets)
{
	char error[256];
	for (uint64_t until = clock_mono_ns() + WAIT_NS; clock_mono_ns() < until; usleep(20000)) {
		json_t *list = ask(f, json_object(), error), *first = json_array_get(list, 0);
		if (json_integer_value(json_object_get(first, "packets")) >= packets) {
			assert_int_equal(json_array_size(list), 1);
			json_incref(first);
			json_decref(list);
			return first;
		}
		json_decref(list);
	}
	fail_msg("the exporter is not listed");
	return NULL;
}

static json_int_t num(const json_t *j, const char *key)
{
	const json_t *v = json_object_get(j, key);
	assert_true(json_is_integer(v));
	return json_integer_value(v);
}

static void deliver(struct fixture *f)
{
	struct buf m = message();
	assert_int_equal(send(f->fd, m.p, buf_left(&m), 0), (ssize_t)buf_left(&m));
}

static void put(uint32_t sequence, bool is_late)
{
	struct message_head h = message_head;
	h.sequence = sequence;
	h.sec = (uint32_t)(clock_now_ns() / NS_PER_SEC) - 100;
	begin_head(IPFIX_VERSION, h);
	if (!is_late)
		DEFINE(300, 8, 4, 12, 4);
	set(300, "0a000001 0a000002");
}

static void a_session_is_told_with_its_losses_and_its_clock(void **state)
{
	struct fixture *f = *state;
	put(10, false);
	deliver(f);
	put(14, false); // three are missing
	deliver(f);
	put(12, true); // one of them comes late
	deliver(f);
	put(12, true); // and twice
	deliver(f);
	usleep(1100000); // a gap is a loss after a second
	put(15, false);
	deliver(f);

	json_t *e = the_exporter(f, 5);
	assert_string_equal(json_string_value(json_object_get(e, "address")), "127.0.0.1");
	assert_string_equal(json_string_value(json_object_get(e, "transport")), "udp");
	assert_int_equal(num(e, "domain"), DOMAIN);
	assert_int_equal(num(e, "version"), 10);
	assert_int_equal(num(e, "records"), 5);
	assert_int_equal(num(e, "templates"), 1);
	assert_in_range(num(e, "template_age_sec"), 0, 60);
	assert_int_equal(num(e, "lost"), 2);
	assert_int_equal(num(e, "reordered"), 1);
	assert_int_equal(num(e, "duplicates"), 1);
	assert_in_range(-num(e, "clock_skew_ms"), 99000, 160000);
	assert_true(json_is_null(json_object_get(e, "sampling")));
	json_decref(e);
}

static void others_can_be_left_out(void **state)
{
	struct fixture *f = *state;
	char error[256];
	put(1, false);
	deliver(f);
	json_decref(the_exporter(f, 1));
	json_t *list = ask(f, json_pack("{s:s}", "address", "192.0.2.1"), error);
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
	list = ask(f, json_pack("{s:s,s:i}", "address", "127.0.0.1", "limit", 1), error);
	assert_int_equal(json_array_size(list), 1);
	json_decref(list);
	assert_null(ask(f, json_pack("{s:s}", "address", "nobody"), error));
	assert_string_equal(error, "address: not an IP address");
	assert_null(ask(f, json_pack("{s:i}", "limit", 5000), error));
	assert_string_equal(error, "limit: 1 to 4096");
}

static void before_the_ingest_runs_there_is_nobody(void **)
{
	struct commands_context context = {.ingest_lock = PTHREAD_MUTEX_INITIALIZER};
	char error[256];
	json_t *list = cmd_exporters(&context, NULL, error);
	assert_true(json_is_array(list));
	assert_int_equal(json_array_size(list), 0);
	json_decref(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_session_is_told_with_its_losses_and_its_clock, set_up, tear_down
		),
		cmocka_unit_test_setup_teardown(others_can_be_left_out, set_up, tear_down),
		cmocka_unit_test(before_the_ingest_runs_there_is_nobody),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
