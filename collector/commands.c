// SPDX-License-Identifier: Apache-2.0
#include "collector/commands.h"

#include "collector/commands_exporters.h"
#include "collector/commands_intel.h"
#include "collector/commands_post.h"
#include "collector/credentials.h"
#include "lib/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ERROR_LEN 256
#define ROLE_DEFAULT "viewer"

static const char *const roles[] = {"viewer", "analyst", "admin", "exporter", NULL};
static const char *const builtin_entities[] = {STORE_ENTITY_DEFAULT, "lentor", NULL};

static json_t *fail(char error[static ERROR_LEN], const char *what)
{
	snprintf(error, ERROR_LEN, "%s", what);
	return NULL;
}

static json_t *fail_errno(char error[static ERROR_LEN], const char *what, int ret)
{
	snprintf(error, ERROR_LEN, "%s: %s", what, strerror(-ret));
	return NULL;
}

// Whether what comes in is stored, in a word.
static const char *intake_state(struct commands_context *c)
{
	static const char *const words[] = {
		[COMMIT_OK] = "ok",
		[COMMIT_NO_SPACE] = "no_space",
		[COMMIT_REFUSED] = "store_refuses",
	};
	return words[c->commit ? commit_state(c->commit) : COMMIT_OK];
}

static json_t *cmd_ping(void *ctx, json_t *, char error[static ERROR_LEN])
{
	struct commands_context *c = ctx;
	uint64_t up_ns = clock_mono_ns() - c->started_ns;
	(void)error;
	return json_pack(
		"{s:s,s:I,s:s}",
		"version",
		WEIR_VERSION,
		"uptime_sec",
		(json_int_t)(up_ns / NS_PER_SEC),
		"intake",
		intake_state(c)
	);
}

// records = stored + dropped + in flight + residue. What is on its way is only known for certain
// while nothing is: whatever the other terms leave open then is a residue, and a fault of ours.
static json_t *sums_json(const struct ledger *l, int64_t dropped, bool idle)
{
	int64_t records = (int64_t)ledger_get(l, LEDGER_records);
	int64_t stored = (int64_t)ledger_get(l, LEDGER_stored);
	int64_t open = records - stored - dropped;
	return json_pack(
		"{s:I,s:I,s:I,s:I,s:I}",
		"records",
		(json_int_t)records,
		"stored",
		(json_int_t)stored,
		"dropped",
		(json_int_t)dropped,
		"in_flight",
		(json_int_t)(idle ? 0 : open),
		"residue",
		(json_int_t)(idle ? open : 0)
	);
}

// Counters and drops by name, the sums over them, and what the store holds.
static json_t *cmd_ledger(void *ctx, json_t *, char error[static ERROR_LEN])
{
	struct commands_context *c = ctx;
	json_t *counters = json_object(), *drops = json_object();
	struct store_stats stats;
	int64_t in_flight = 0, dropped = 0;
	bool idle = c->commit && commit_is_idle(c->commit);

	for (int id = 0; id < LEDGER_N; id++) {
		const struct ledger_info *info = &ledger_infos[id];
		json_int_t v = (json_int_t)ledger_get(c->ledger, (enum ledger_id)id);
		json_object_set_new(info->is_drop ? drops : counters, info->name, json_integer(v));
		if (info->is_drop && strcmp(info->unit, "records") == 0)
			dropped += v;
	}
	idle = idle && commit_is_idle(c->commit); // before and after
	in_flight -= dropped;
	in_flight += (int64_t)ledger_get(c->ledger, LEDGER_records);
	in_flight -= (int64_t)ledger_get(c->ledger, LEDGER_stored);
	store_stats(c->store, &stats);
	json_t *store = json_pack(
		"{s:I,s:I,s:I,s:I,s:I}",
		"rows",
		(json_int_t)stats.total_rows,
		"journal_rows",
		(json_int_t)stats.journal_rows,
		"sealed_rows",
		(json_int_t)(stats.total_rows - stats.journal_rows),
		"commits",
		(json_int_t)stats.commits,
		"size",
		(json_int_t)stats.size
	);
	json_object_set_new(counters, "in_flight", json_integer(in_flight));
	json_t *result = json_pack(
		"{s:o,s:o,s:o,s:o,s:{s:s}}",
		"sums",
		sums_json(c->ledger, dropped, idle),
		"counters",
		counters,
		"drops",
		drops,
		"store",
		store,
		"state",
		"intake",
		intake_state(c)
	);
	return result ? result : fail(error, "out of memory");
}

static json_t *cmd_seal(void *ctx, json_t *, char error[static ERROR_LEN])
{
	struct commands_context *c = ctx;
	char why[STORE_ERROR_LEN] = "";
	int64_t rows = sealer_seal_all(c->sealer, why);
	return rows < 0 ? fail(error, why) : json_pack("{s:I}", "sealed", (json_int_t)rows);
}

static bool is_word_of(const char *const *words, const char *word)
{
	for (; *words; words++)
		if (strcmp(*words, word) == 0)
			return true;
	return false;
}

static bool is_entity(const struct commands_context *c, const char *name)
{
	for (size_t i = 0; i < c->entities->n; i++)
		if (strcmp(c->entities->entries[i].name, name) == 0)
			return true;
	return is_word_of(builtin_entities, name);
}

// The number by which records of trusted importers name an entity (weir import --entity).
static json_t *cmd_entity(void *ctx, json_t *args, char error[static ERROR_LEN])
{
	struct commands_context *c = ctx;
	const char *name = json_string_value(json_object_get(args, "name"));
	if (!name || strlen(name) > STORE_NAME_MAX || !is_entity(c, name))
		return fail(error, "entity: not one of netflow, lentor and the configured ones");
	int number = store_entity(c->store, name);
	return number < 0 ? fail_errno(error, "entity", number)
			  : json_pack("{s:s,s:i}", "name", name, "number", number);
}

static bool is_user_name(const char *name)
{
	size_t n = strlen(name);
	return n >= 1 && n <= STORE_NAME_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@-") ==
		       n;
}

static json_t *user_json(const struct store_user *u, const char *secret)
{
	char created[32];
	json_t *j = json_pack(
		"{s:s,s:s,s:s,s:s,s:s}",
		"name",
		u->name,
		"entity",
		u->entity,
		"role",
		u->role,
		"api_id",
		u->api_id,
		"created",
		clock_format(u->created_ns, "%Y-%m-%dT%H:%M:%SZ", created, sizeof(created))
	);
	if (j && secret)
		json_object_set_new(j, "secret", json_string(secret));
	return j;
}

struct user_search {
	const char *key; // a name or an api_id
	struct store_user found;
	bool is_found;
};

static int match_user(void *ctx, const struct store_user *u)
{
	struct user_search *s = ctx;
	if (strcmp(u->name, s->key) != 0 && strcmp(u->api_id, s->key) != 0)
		return 0;
	s->found = *u;
	s->is_found = true;
	return 1;
}

static bool find_user(struct store *store, const char *key, struct store_user *ret_user)
{
	struct user_search s = {.key = key};
	store_user_each(store, match_user, &s);
	if (s.is_found)
		*ret_user = s.found;
	return s.is_found;
}

// Stores new credentials for *u and answers with them: the only time the secret is seen.
static json_t *issue(struct store *store, struct store_user *u, char error[static ERROR_LEN])
{
	char secret[CREDENTIALS_SECRET_LEN + 1];
	int ret = credentials_make(u, secret);
	if (ret == 0)
		ret = store_user_add(store, u);
	json_t *result = ret == 0 ? user_json(u, secret) : fail_errno(error, "user", ret);
	explicit_bzero(secret, sizeof(secret));
	return result;
}

static json_t *cmd_user_add(void *ctx, json_t *args, char error[static ERROR_LEN])
{
	struct commands_context *c = ctx;
	struct store_user u = {.generation = 1, .created_ns = clock_now_ns()}, other;
	const char *name = json_string_value(json_object_get(args, "name"));
	const char *entity = json_string_value(json_object_get(args, "entity"));
	const char *role = json_string_value(json_object_get(args, "role"));

	entity = entity ? entity : STORE_ENTITY_DEFAULT;
	role = role ? role : ROLE_DEFAULT;
	if (!name || !is_user_name(name))
		return fail(error, "name: 1 to 63 letters, digits, '.', '_', '@' or '-'");
	if (strlen(entity) > STORE_NAME_MAX || !is_entity(c, entity))
		return fail(error, "entity: not one of netflow, lentor and the configured ones");
	if (!is_word_of(roles, role))
		return fail(error, "role: not one of viewer, analyst, admin, exporter");
	strcpy(u.name, name);
	strcpy(u.entity, entity);
	strcpy(u.role, role);
	pthread_mutex_lock(&c->users_lock);
	json_t *result = find_user(c->store, name, &other)
				 ? fail(error, "a user of that name is there already")
				 : issue(c->store, &u, error);
	pthread_mutex_unlock(&c->users_lock);
	return result;
}

static int add_to_list(void *ctx, const struct store_user *u)
{
	json_array_append_new(ctx, user_json(u, NULL));
	return 0;
}

static json_t *cmd_user_list(void *ctx, json_t *, char error[static ERROR_LEN])
{
	struct commands_context *c = ctx;
	json_t *list = json_array();
	int ret = store_user_each(c->store, add_to_list, list);
	if (ret >= 0)
		return list;
	json_decref(list);
	return fail_errno(error, "users", ret);
}

static json_t *rotate(struct store *store, const char *key, char error[static ERROR_LEN])
{
	struct store_user old;
	if (!find_user(store, key, &old))
		return fail(error, "no such user");
	struct store_user u = old;
	u.generation++;
	json_t *result = issue(store, &u, error);
	int ret = result ? store_user_del(store, old.api_id) : 0;
	if (ret == 0)
		return result;
	json_decref(result);
	return fail_errno(error, "the old credentials could not be removed", ret);
}

// New id and secret; the old ones, and the tokens got with them, end at once.
static json_t *cmd_user_rotate(void *ctx, json_t *args, char error[static ERROR_LEN])
{
	struct commands_context *c = ctx;
	const char *key = json_string_value(json_object_get(args, "user"));
	if (!key)
		return fail(error, "user: a name or an api_id");
	pthread_mutex_lock(&c->users_lock);
	json_t *result = rotate(c->store, key, error);
	pthread_mutex_unlock(&c->users_lock);
	return result;
}

static json_t *del(struct store *store, const char *key, char error[static ERROR_LEN])
{
	struct store_user u;
	if (!find_user(store, key, &u))
		return fail(error, "no such user");
	int ret = store_user_del(store, u.api_id);
	return ret == 0 ? user_json(&u, NULL) : fail_errno(error, "user", ret);
}

static json_t *cmd_user_del(void *ctx, json_t *args, char error[static ERROR_LEN])
{
	struct commands_context *c = ctx;
	const char *key = json_string_value(json_object_get(args, "user"));
	if (!key)
		return fail(error, "user: a name or an api_id");
	pthread_mutex_lock(&c->users_lock);
	json_t *result = del(c->store, key, error);
	pthread_mutex_unlock(&c->users_lock);
	return result;
}

const struct control_command commands[] = {
	{"ping", cmd_ping, "version and uptime"},
	{"ledger", cmd_ledger, "every counter and drop, and what the store holds"},
	{"exporters", cmd_exporters, "who sends, and how well: address, limit"},
	{"entity", cmd_entity, "an entity's number: name"},
	{"seal", cmd_seal, "seal all hours now, the running one too"},
	{"flow.post", cmd_flow_post, "store one record and tell what it matched"},
	{"user.add", cmd_user_add, "create credentials: name, entity, role"},
	{"user.list", cmd_user_list, "who has credentials"},
	{"user.rotate", cmd_user_rotate, "new credentials; the old ones end: user (name or id)"},
	{"user.del", cmd_user_del, "remove credentials: user (name or id)"},
	{"intel", cmd_intel_status, "what the indicators in use are"},
	{"feeds.list", cmd_feeds_list, "feeds and how they are"},
	{"feeds.add", cmd_feeds_add, "another feed: name, location and its settings"},
	{"feeds.remove", cmd_feeds_remove, "a feed that was added: name"},
	{"feeds.refresh", cmd_feeds_refresh, "look at feeds now: name (none: all), force"},
	{"allow.list", cmd_allow_list, "the allow-list"},
	{"allow.add", cmd_allow_add, "what is never a hit: value, reason, owner, expires"},
	{"allow.remove", cmd_allow_remove, "off the allow-list: value"},
	{"indicators.list", cmd_indicators_list, "our own indicators"},
	{"indicators.add",
	 cmd_indicators_add,
	 "an indicator of our own: value, category, score, …"},
	{"indicators.remove", cmd_indicators_remove, "an indicator of our own: value"},
	{"hits.list", cmd_hits_list, "hits, newest first: entity, since, limit"},
	{"hunts.list", cmd_hunts_list, "hunts, newest first, with their progress"},
	{"hunts.start", cmd_hunts_start, "hunt by hand: content, what, since"},
	{"hunts.cancel", cmd_hunts_cancel, "end a hunt: id"},
	{},
};
