// SPDX-License-Identifier: Apache-2.0
#include "collector/commands_user.h"

#include "collector/commands.h"
#include "collector/credentials.h"
#include "lib/base/clock.h"
#include "lib/base/control_server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ERROR_LEN 256
#define ROLE_DEFAULT "viewer"

static const char *const roles[] = {"viewer", "analyst", "admin", "exporter", NULL};
static const char *const builtin_entities[] = {STORE_ENTITY_DEFAULT, "lentor", NULL};

static json_t *fail_errno(char error[static ERROR_LEN], const char *what, int ret)
{
	snprintf(error, ERROR_LEN, "%s: %s", what, strerror(-ret));
	return NULL;
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
json_t *cmd_entity(void *ctx, json_t *args, char error[static ERROR_LEN])
{
	struct commands_context *c = ctx;
	const char *name = json_string_value(json_object_get(args, "name"));
	if (!name || strlen(name) > STORE_NAME_MAX || !is_entity(c, name))
		return control_fail(
			error, "entity: not one of netflow, lentor and the configured ones"
		);
	int number = store_entity(c->store, name);
	return number < 0 ? fail_errno(error, "entity", number)
			  : json_pack("{s:s,s:i}", "name", name, "number", number);
}

static json_t *entity_json(struct commands_context *c, const char *name)
{
	json_t *networks = json_array();
	for (size_t i = 0; i < c->entities->n; i++) {
		const struct config_map_entry *e = &c->entities->entries[i];
		for (size_t k = 0; strcmp(e->name, name) == 0 && k < e->values.n; k++)
			json_array_append_new(networks, json_string(e->values.items[k]));
	}
	return json_pack("{s:s,s:o}", "name", name, "exporters", networks);
}

// The built-in ones, and the configured ones with the networks of their exporters.
json_t *cmd_entity_list(void *ctx, json_t *, char[static ERROR_LEN])
{
	struct commands_context *c = ctx;
	json_t *list = json_array();
	for (const char *const *name = builtin_entities; *name; name++)
		json_array_append_new(list, entity_json(c, *name));
	for (size_t i = 0; i < c->entities->n; i++)
		if (!is_word_of(builtin_entities, c->entities->entries[i].name))
			json_array_append_new(list, entity_json(c, c->entities->entries[i].name));
	return list;
}

// "within": the only entity whose users the one who asks may change.
static bool may_change(const json_t *args, const char *entity)
{
	const char *within = json_string_value(json_object_get(args, "within"));
	return !within || strcmp(within, entity) == 0;
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

json_t *cmd_user_add(void *ctx, json_t *args, char error[static ERROR_LEN])
{
	struct commands_context *c = ctx;
	struct store_user u = {.generation = 1, .created_ns = clock_now_ns()}, other;
	const char *name = json_string_value(json_object_get(args, "name"));
	const char *entity = json_string_value(json_object_get(args, "entity"));
	const char *role = json_string_value(json_object_get(args, "role"));

	entity = entity ? entity : STORE_ENTITY_DEFAULT;
	role = role ? role : ROLE_DEFAULT;
	if (!name || !is_user_name(name))
		return control_fail(error, "name: 1 to 63 letters, digits, '.', '_', '@' or '-'");
	if (strlen(entity) > STORE_NAME_MAX || !is_entity(c, entity))
		return control_fail(
			error, "entity: not one of netflow, lentor and the configured ones"
		);
	if (!is_word_of(roles, role))
		return control_fail(error, "role: not one of viewer, analyst, admin, exporter");
	if (!may_change(args, entity))
		return control_fail(error, "entity: not one that you manage");
	strcpy(u.name, name);
	strcpy(u.entity, entity);
	strcpy(u.role, role);
	pthread_mutex_lock(&c->users_lock);
	json_t *result = find_user(c->store, name, &other)
				 ? control_fail(error, "a user of that name is there already")
				 : issue(c->store, &u, error);
	pthread_mutex_unlock(&c->users_lock);
	return result;
}

static int add_to_list(void *ctx, const struct store_user *u)
{
	json_array_append_new(ctx, user_json(u, NULL));
	return 0;
}

json_t *cmd_user_list(void *ctx, json_t *, char error[static ERROR_LEN])
{
	struct commands_context *c = ctx;
	json_t *list = json_array();
	int ret = store_user_each(c->store, add_to_list, list);
	if (ret >= 0)
		return list;
	json_decref(list);
	return fail_errno(error, "users", ret);
}

static json_t *
rotate(struct store *store, const json_t *args, const char *key, char error[static ERROR_LEN])
{
	struct store_user old;
	if (!find_user(store, key, &old) || !may_change(args, old.entity))
		return control_fail(error, "no such user");
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
json_t *cmd_user_rotate(void *ctx, json_t *args, char error[static ERROR_LEN])
{
	struct commands_context *c = ctx;
	const char *key = json_string_value(json_object_get(args, "user"));
	if (!key)
		return control_fail(error, "user: a name or an api_id");
	pthread_mutex_lock(&c->users_lock);
	json_t *result = rotate(c->store, args, key, error);
	pthread_mutex_unlock(&c->users_lock);
	return result;
}

static json_t *
del(struct store *store, const json_t *args, const char *key, char error[static ERROR_LEN])
{
	struct store_user u;
	if (!find_user(store, key, &u) || !may_change(args, u.entity))
		return control_fail(error, "no such user");
	int ret = store_user_del(store, u.api_id);
	return ret == 0 ? user_json(&u, NULL) : fail_errno(error, "user", ret);
}

json_t *cmd_user_del(void *ctx, json_t *args, char error[static ERROR_LEN])
{
	struct commands_context *c = ctx;
	const char *key = json_string_value(json_object_get(args, "user"));
	if (!key)
		return control_fail(error, "user: a name or an api_id");
	pthread_mutex_lock(&c->users_lock);
	json_t *result = del(c->store, args, key, error);
	pthread_mutex_unlock(&c->users_lock);
	return result;
}
