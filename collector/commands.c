// SPDX-License-Identifier: Apache-2.0
#include "collector/commands.h"

#include "collector/commands_exporters.h"
#include "collector/commands_intel.h"
#include "collector/commands_post.h"
#include "collector/commands_user.h"
#include "collector/store/backup.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ERROR_LEN 256

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
	return result ? result : control_fail(error, "out of memory");
}

static json_t *cmd_seal(void *ctx, json_t *, char error[static ERROR_LEN])
{
	struct commands_context *c = ctx;
	char why[STORE_ERROR_LEN] = "";
	int64_t rows = sealer_seal_all(c->sealer, why);
	return rows < 0 ? control_fail(error, why) : json_pack("{s:I}", "sealed", (json_int_t)rows);
}

static json_t *cmd_backup(void *ctx, json_t *args, char error[static ERROR_LEN])
{
	struct commands_context *c = ctx;
	char why[STORE_ERROR_LEN] = "";
	struct store_stats stats;
	const char *dir = json_string_value(json_object_get(args, "dir"));
	if (!dir || *dir != '/')
		return control_fail(error, "dir: an absolute path that does not exist yet");
	store_stats(c->store, &stats); // before: the copy has these rows at least
	if (store_backup(c->store, dir, why) < 0)
		return control_fail(error, why);
	return json_pack("{s:s,s:I}", "dir", dir, "rows", (json_int_t)stats.total_rows);
}

// Entries of the trail, newest first.
static json_t *cmd_audit(void *ctx, json_t *args, char error[static ERROR_LEN])
{
	struct commands_context *c = ctx;
	json_int_t limit = json_integer_value(json_object_get(args, "limit"));
	json_t *list = audit_list(&c->audit, limit > 0 ? (size_t)limit : AUDIT_LIST_DEFAULT);
	return list ? list : control_fail(error, "the trail cannot be read");
}

// A change goes to the trail when it has been made. One that cannot be written there is still
// answered for: its secrets are shown once.
static json_t *
change(void *ctx,
       json_t *args,
       char error[static ERROR_LEN],
       const char *what,
       control_handler *handler)
{
	struct commands_context *c = ctx;
	json_t *by = audit_take_by(args);
	json_t *result = handler(ctx, args, error);
	int ret = result ? audit_add(&c->audit, what, args, by) : 0;
	if (ret < 0)
		log_err("%s: not in the trail of changes: %s", what, strerror(-ret));
	json_decref(by);
	return result;
}

#define CHANGES(X)                                                                                 \
	X(seal, "seal")                                                                            \
	X(backup, "backup")                                                                        \
	X(user_add, "user.add")                                                                    \
	X(user_rotate, "user.rotate")                                                              \
	X(user_del, "user.del")                                                                    \
	X(feeds_add, "feeds.add")                                                                  \
	X(feeds_remove, "feeds.remove")                                                            \
	X(feeds_refresh, "feeds.refresh")                                                          \
	X(allow_add, "allow.add")                                                                  \
	X(allow_remove, "allow.remove")                                                            \
	X(indicators_add, "indicators.add")                                                        \
	X(indicators_remove, "indicators.remove")                                                  \
	X(hunts_start, "hunts.start")                                                              \
	X(hunts_cancel, "hunts.cancel")

#define CHANGE(name, what)                                                                         \
	static json_t *change_##name(void *ctx, json_t *args, char error[static ERROR_LEN])        \
	{                                                                                          \
		return change(ctx, args, error, what, cmd_##name);                                 \
	}
CHANGES(CHANGE)
#undef CHANGE

const struct control_command commands[] = {
	{"ping", cmd_ping, "version and uptime"},
	{"ledger", cmd_ledger, "every counter and drop, and what the store holds"},
	{"exporters", cmd_exporters, "who sends, and how well: address, limit"},
	{"entity", cmd_entity, "an entity's number: name"},
	{"seal", change_seal, "seal all hours now, the running one too"},
	{"backup", change_backup, "copy the store as it is now: dir"},
	{"flow.post", cmd_flow_post, "store one record and tell what it matched"},
	{"audit", cmd_audit, "who changed what, newest first: limit"},
	{"entity.list", cmd_entity_list, "entities: numbers, networks"},
	{"user.add", change_user_add, "create credentials: name, entity, role, within"},
	{"user.list", cmd_user_list, "who has credentials"},
	{"user.rotate", change_user_rotate, "new credentials; the old ones end: user (name or id)"},
	{"user.del", change_user_del, "remove credentials: user (name or id)"},
	{"intel", cmd_intel_status, "what the indicators in use are"},
	{"feeds.list", cmd_feeds_list, "feeds and how they are"},
	{"feeds.add", change_feeds_add, "another feed: name, location and its settings"},
	{"feeds.remove", change_feeds_remove, "a feed that was added: name"},
	{"feeds.refresh", change_feeds_refresh, "look at feeds now: name (none: all), force"},
	{"allow.list", cmd_allow_list, "the allow-list"},
	{"allow.add", change_allow_add, "what is never a hit: value, reason, owner, expires"},
	{"allow.remove", change_allow_remove, "off the allow-list: value"},
	{"indicators.list", cmd_indicators_list, "our own indicators"},
	{"indicators.add",
	 change_indicators_add,
	 "an indicator of our own: value, category, score, …"},
	{"indicators.remove", change_indicators_remove, "an indicator of our own: value"},
	{"hits.list", cmd_hits_list, "hits, newest first: entity, since, limit"},
	{"hunts.list", cmd_hunts_list, "hunts, newest first, with their progress"},
	{"hunts.start", change_hunts_start, "hunt by hand: content, what, since"},
	{"hunts.cancel", change_hunts_cancel, "end a hunt: id"},
	{},
};
