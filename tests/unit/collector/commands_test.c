// SPDX-License-Identifier: Apache-2.0

// What the control socket can do, on a real store.

#include "collector/commands.h"
#include "collector/credentials.h"
#include "lib/base/clock.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/rows.h"

#include <openssl/evp.h>

struct fixture {
	char dir[64];
	struct store *store;
	struct ledger ledger;
	struct sealer *sealer;
	struct config_map entities;
	struct commands_context context;
};

static char lab[] = "lab";
static struct config_map_entry configured = {.name = lab};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char error[STORE_ERROR_LEN] = "";
	rows_dir(f->dir);
	struct store_options o = {.dir = f->dir, .block_rows = 1000};
	if (store_open(&o, &f->store, error) < 0)
		fail_msg("%s", error);
	struct sealer_options so = {
		.store = f->store,
		.ledger = &f->ledger,
		.interval_ns = 3600 * NS_PER_SEC,
	};
	assert_int_equal(sealer_start(&so, &f->sealer), 0);
	f->entities = (struct config_map){.entries = &configured, .n = 1};
	f->context = (struct commands_context){
		.store = f->store,
		.ledger = &f->ledger,
		.sealer = f->sealer,
		.entities = &f->entities,
		.started_ns = clock_mono_ns() - 5 * NS_PER_SEC,
		.audit = {.store = f->store, .lock = PTHREAD_MUTEX_INITIALIZER},
		.users_lock = PTHREAD_MUTEX_INITIALIZER,
	};
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	sealer_stop(f->sealer);
	store_close(f->store);
	rows_dir_remove(f->dir);
	free(f);
	return 0;
}

// The result of a command; NULL with the words in `error`. `args` is given away.
static json_t *call(struct fixture *f, const char *name, json_t *args, char error[256])
{
	const struct control_command *c = commands;
	while (c->name && strcmp(c->name, name) != 0)
		c++;
	assert_non_null(c->name);
	error[0] = '\0';
	json_t *result = c->handler(&f->context, args, error);
	json_decref(args);
	assert_true(result || *error); // a refusal says why
	return result;
}

static json_t *must(struct fixture *f, const char *name, json_t *args)
{
	char error[256];
	json_t *result = call(f, name, args, error);
	if (!result)
		fail_msg("%s: %s", name, error);
	return result;
}

static void assert_refused(struct fixture *f, const char *name, json_t *args, const char *words)
{
	char error[256];
	json_t *result = call(f, name, args, error);
	assert_null(result);
	if (!strstr(error, words))
		fail_msg("%s: %s", name, error);
}

static const char *str(const json_t *j, const char *key)
{
	const char *s = json_string_value(json_object_get(j, key));
	assert_non_null(s);
	return s;
}

static json_int_t num(const json_t *j, const char *group, const char *key)
{
	const json_t *v = json_object_get(json_object_get(j, group), key);
	assert_true(json_is_integer(v));
	return json_integer_value(v);
}

static json_t *user(const char *name)
{
	return json_pack("{s:s}", "name", name);
}

static json_t *the(const char *key)
{
	return json_pack("{s:s}", "user", key);
}

static size_t n_users(struct fixture *f)
{
	json_t *list = must(f, "user.list", NULL);
	size_t n = json_array_size(list);
	json_decref(list);
	return n;
}

static void every_command_has_a_name_and_words(void **)
{
	for (const struct control_command *c = commands; c->name; c++) {
		assert_non_null(c->handler);
		assert_true(*c->text);
		for (const struct control_command *d = commands; d < c; d++)
			assert_string_not_equal(c->name, d->name);
	}
}

static void ping_tells_version_and_age(void **state)
{
	json_t *r = must(*state, "ping", json_object());
	assert_string_equal(str(r, "version"), WEIR_VERSION);
	assert_in_range(json_integer_value(json_object_get(r, "uptime_sec")), 5, 60);
	json_decref(r);
}

static void ledger_sums_what_is_on_its_way(void **state)
{
	struct fixture *f = *state;
	ledger_add(&f->ledger, LEDGER_records, 100);
	ledger_add(&f->ledger, LEDGER_stored, 60);
	ledger_add(&f->ledger, LEDGER_no_address, 7);
	ledger_add(&f->ledger, LEDGER_no_memory, 2);
	ledger_add(&f->ledger, LEDGER_store_failed, 1);
	ledger_add(&f->ledger, LEDGER_bad_length, 50); // messages: not of that sum
	ledger_add(&f->ledger, LEDGER_sequence_lost, 9);
	json_t *r = must(f, "ledger", json_object());
	assert_int_equal(num(r, "counters", "in_flight"), 30);
	assert_int_equal(num(r, "counters", "records"), 100);
	assert_int_equal(num(r, "drops", "bad_length"), 50);
	assert_int_equal(
		json_object_size(json_object_get(r, "counters")) +
			json_object_size(json_object_get(r, "drops")),
		LEDGER_N + 1
	);
	assert_int_equal(num(r, "store", "rows"), 0);
	json_decref(r);
}

static void seal_moves_the_journal(void **state)
{
	struct fixture *f = *state;
	char error[STORE_ERROR_LEN];
	int entity = store_entity(f->store, STORE_ENTITY_DEFAULT);
	struct record_batch *b = rows_batch((uint16_t)entity, ROWS_HOUR, 50);
	assert_int_equal(store_commit(f->store, &b, 1, error), 0);
	record_batch_free(b);
	json_t *r = must(f, "ledger", NULL);
	assert_int_equal(num(r, "store", "journal_rows"), 50);
	json_decref(r);
	r = must(f, "seal", NULL);
	assert_int_equal(json_integer_value(json_object_get(r, "sealed")), 50);
	json_decref(r);
	r = must(f, "ledger", NULL);
	assert_int_equal(num(r, "store", "journal_rows"), 0);
	assert_int_equal(num(r, "store", "sealed_rows"), 50);
	assert_int_equal(num(r, "store", "commits"), 1);
	json_decref(r);
	r = must(f, "seal", NULL);
	assert_int_equal(json_integer_value(json_object_get(r, "sealed")), 0);
	json_decref(r);
}

static void entities_have_numbers(void **state)
{
	struct fixture *f = *state;
	static const char *const names[] = {"netflow", "lentor", "lab"};
	for (int i = 0; i < 3; i++) {
		json_t *r = must(f, "entity", user(names[i]));
		assert_string_equal(str(r, "name"), names[i]);
		int number = (int)json_integer_value(json_object_get(r, "number"));
		assert_int_equal(number, store_entity(f->store, names[i]));
		json_decref(r);
	}
	assert_refused(f, "entity", user("other"), "entity");
	assert_refused(f, "entity", user(""), "entity");
	assert_refused(f, "entity", json_object(), "entity");
	assert_refused(f, "entity", NULL, "entity");
}

static int take_user(void *ctx, const struct store_user *u)
{
	*(struct store_user *)ctx = *u;
	return 1;
}

static void added_user_gets_credentials_once(void **state)
{
	struct fixture *f = *state;
	uint8_t hash[STORE_SECRET_HASH];
	struct store_user stored;
	json_t *r = must(f, "user.add", user("anna"));
	assert_string_equal(str(r, "name"), "anna");
	assert_string_equal(str(r, "entity"), "netflow");
	assert_string_equal(str(r, "role"), "viewer");
	assert_int_equal(strlen(str(r, "secret")), CREDENTIALS_SECRET_LEN);
	assert_int_equal(strlen(str(r, "created")), strlen("2025-01-01T00:00:00Z"));

	assert_true(store_user_each(f->store, take_user, &stored) >= 0);
	EVP_Digest(str(r, "secret"), CREDENTIALS_SECRET_LEN, hash, NULL, EVP_sha256(), NULL);
	assert_memory_equal(stored.secret_hash, hash, sizeof(hash));
	assert_string_equal(stored.api_id, str(r, "api_id"));
	assert_int_equal(stored.generation, 1);

	json_t *list = must(f, "user.list", NULL);
	assert_int_equal(json_array_size(list), 1);
	char *text = json_dumps(list, 0); // no word of it in the list
	assert_null(strstr(text, str(r, "secret")));
	assert_null(strstr(text, "secret"));
	free(text);
	json_decref(list);
	json_decref(r);
}

static void roles_and_entities_are_those_there_are(void **state)
{
	struct fixture *f = *state;
	static const char *const roles[] = {"viewer", "analyst", "admin"};
	for (int i = 0; i < 3; i++) {
		json_t *args = json_pack(
			"{s:s,s:s,s:s}", "name", roles[i], "role", roles[i], "entity", "lab"
		);
		json_t *r = must(f, "user.add", args);
		assert_string_equal(str(r, "role"), roles[i]);
		assert_string_equal(str(r, "entity"), "lab");
		json_decref(r);
	}
	assert_refused(f, "user.add", json_pack("{s:s,s:s}", "name", "b", "role", "root"), "role");
	assert_refused(
		f, "user.add", json_pack("{s:s,s:s}", "name", "b", "entity", "other"), "entity"
	);
	char longer[STORE_NAME_MAX + 2];
	memset(longer, 'e', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_refused(
		f, "user.add", json_pack("{s:s,s:s}", "name", "b", "entity", longer), "entity"
	);
	assert_int_equal(n_users(f), 3);
}

static void names_are_short_and_plain(void **state)
{
	struct fixture *f = *state;
	static const char *const bad[] = {"", " ", "a b", "a/b", "a\nb", "été", "a\"", "a:"};
	char name[STORE_NAME_MAX + 2];
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refused(f, "user.add", user(bad[i]), "name");
	assert_refused(f, "user.add", json_object(), "name");
	assert_refused(f, "user.add", NULL, "name");
	assert_refused(f, "user.add", json_array(), "name");
	assert_refused(f, "user.add", json_pack("{s:i}", "name", 5), "name");
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_refused(f, "user.add", user(name), "name");
	json_decref(must(f, "user.add", user(name + 1)));
	json_decref(must(f, "user.add", user("A.b_c@d-9")));
	assert_refused(f, "user.add", user("A.b_c@d-9"), "already");
	assert_int_equal(n_users(f), 2);
}

static void rotation_ends_the_old_credentials(void **state)
{
	struct fixture *f = *state;
	json_t *first = must(f, "user.add", user("anna"));
	json_t *second = must(f, "user.rotate", the("anna"));
	assert_string_not_equal(str(first, "api_id"), str(second, "api_id"));
	assert_string_not_equal(str(first, "secret"), str(second, "secret"));
	assert_string_equal(str(second, "created"), str(first, "created"));
	assert_refused(f, "user.rotate", the(str(first, "api_id")), "no such user");
	json_t *third = must(f, "user.rotate", the(str(second, "api_id")));
	assert_string_equal(str(third, "name"), "anna");
	assert_int_equal(n_users(f), 1);
	assert_refused(f, "user.rotate", the("berta"), "no such user");
	assert_refused(f, "user.rotate", json_object(), "user");
	json_decref(first);
	json_decref(second);
	json_decref(third);
}

static void rotation_moves_the_generation_on(void **state)
{
	struct fixture *f = *state;
	struct store_user stored = {};
	json_decref(must(f, "user.add", user("anna")));
	for (uint64_t i = 1; i < 5; i++) {
		assert_true(store_user_each(f->store, take_user, &stored) >= 0);
		assert_int_equal(stored.generation, i);
		json_decref(must(f, "user.rotate", the("anna")));
	}
}

static void deleted_user_is_gone(void **state)
{
	struct fixture *f = *state;
	json_decref(must(f, "user.add", user("anna")));
	json_t *berta = must(f, "user.add", user("berta"));
	json_decref(must(f, "user.del", the("anna")));
	assert_refused(f, "user.del", the("anna"), "no such user");
	json_decref(must(f, "user.del", the(str(berta, "api_id"))));
	assert_refused(f, "user.del", json_object(), "a name or an api_id");
	assert_refused(f, "user.del", NULL, "a name or an api_id");
	assert_int_equal(n_users(f), 0);
	json_decref(must(f, "user.add", user("anna"))); // the name is free again
	json_decref(berta);
}

struct worker {
	struct fixture *f;
	const char *command;
	json_t *args;
	bool ok;
};

static void *work(void *arg)
{
	struct worker *w = arg;
	char error[256];
	json_t *r = call(w->f, w->command, w->args, error);
	w->ok = r;
	json_decref(r);
	return NULL;
}

static void both(struct worker *a, struct worker *b)
{
	pthread_t threads[2];
	assert_int_equal(pthread_create(&threads[0], NULL, work, a), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, work, b), 0);
	pthread_join(threads[0], NULL);
	pthread_join(threads[1], NULL);
}

static void one_of_two_users_of_a_name_is_taken(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 20; i++) {
		struct worker a = {f, "user.add", user("anna"), false};
		struct worker b = {f, "user.add", user("anna"), false};
		both(&a, &b);
		assert_int_equal(a.ok + b.ok, 1);
		assert_int_equal(n_users(f), 1);
		json_decref(must(f, "user.del", the("anna")));
	}
}

// Whoever is first: a user who was deleted is not brought back by a rotation under way.
static void deleted_user_does_not_come_back(void **state)
{
	struct fixture *f = *state;
	for (int i = 0; i < 50; i++) {
		json_decref(must(f, "user.add", user("anna")));
		struct worker del = {f, "user.del", the("anna"), false};
		struct worker rotate = {f, "user.rotate", the("anna"), false};
		both(&rotate, &del);
		assert_true(del.ok);
		assert_int_equal(n_users(f), 0);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_command_has_a_name_and_words),
		TEST(ping_tells_version_and_age),
		TEST(ledger_sums_what_is_on_its_way),
		TEST(seal_moves_the_journal),
		TEST(entities_have_numbers),
		TEST(added_user_gets_credentials_once),
		TEST(roles_and_entities_are_those_there_are),
		TEST(names_are_short_and_plain),
		TEST(rotation_ends_the_old_credentials),
		TEST(rotation_moves_the_generation_on),
		TEST(deleted_user_is_gone),
		TEST(one_of_two_users_of_a_name_is_taken),
		TEST(deleted_user_does_not_come_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
