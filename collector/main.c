// SPDX-License-Identifier: Apache-2.0

// weir-collector: from start to end. Parts start in the order of the data's way back (store first,
// sockets last) and stop in reverse, so that whatever was read is committed before the end.

#include "collector/commands.h"
#include "collector/config.h"
#include "collector/ingest_setup.h"
#include "collector/intel_setup.h"
#include "collector/keeper.h"
#include "collector/sealer.h"
#include "lib/base/log.h"
#include "lib/base/notify.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define EXIT_UNAVAILABLE 69 // sysexits EX_UNAVAILABLE
#define EXIT_NOPERM 77	    // sysexits EX_NOPERM
#define KEEP_INTERVAL_NS (10 * NS_PER_SEC)
#define SEAL_INTERVAL_NS (10 * NS_PER_SEC)

struct collector {
	struct collector_config config;
	struct ledger ledger;
	struct store *store;
	struct intel_setup intel;
	struct commit *commit;
	struct sealer *sealer;
	struct control *control;
	struct ingest_setup setup;
	struct ingest *ingest;
	struct kept_table kept;
	struct keeper *keeper;
	struct commands_context context;
};

// Makes the folders above a path, as far as they are absent.
static int make_parents(const char *path)
{
	char *copy = strdup(path);
	int ret = copy ? 0 : -ENOMEM;
	for (char *p = copy ? strchr(copy + 1, '/') : NULL; ret == 0 && p; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(copy, 0750) < 0 && errno != EEXIST)
			ret = -errno;
		*p = '/';
	}
	free(copy);
	return ret;
}

static int start_store(struct collector *c)
{
	char error[STORE_ERROR_LEN] = "";
	struct store_options options = {
		.dir = c->config.store_dir,
		.cache_len = c->config.cache_len,
		.seal_grace_ns = c->config.seal_grace_ns,
		.block_rows = (uint32_t)c->config.block_rows,
		.reserve = (uint64_t)c->config.reserve,
	};
	int ret = make_parents(options.dir);
	if (ret < 0)
		return log_errno(ret, "folders above %s", options.dir);
	ret = store_open(&options, &c->store, error);
	if (ret < 0)
		log_err("store %s: %s", options.dir, error);
	else if (*error)
		log_warn("store %s: %s", options.dir, error);
	return ret;
}

static int start_commit(struct collector *c)
{
	uint32_t open = ingest_defaults().open_batches * (uint32_t)c->config.threads;
	struct commit_options options = {
		.store = c->store,
		.ledger = &c->ledger,
		.gate = c->intel.gate,
		// twice what ingest may hold open, so that one half can be written meanwhile
		.n_batches = c->config.batches > 2 * open ? (uint32_t)c->config.batches : 2 * open,
		.batch_rows = (uint32_t)c->config.batch_rows,
	};
	int ret = commit_start(&options, &c->commit);
	return ret < 0 ? log_errno(ret, "committer") : 0;
}

static int start_sealer(struct collector *c)
{
	struct sealer_options options = {
		.store = c->store,
		.ledger = &c->ledger,
		.interval_ns = SEAL_INTERVAL_NS,
		.scrub = (uint64_t)c->config.scrub * (SEAL_INTERVAL_NS / NS_PER_SEC),
		.retention =
			{
				.age_ns = (uint64_t)c->config.retention_age_ns,
				.size = (uint64_t)c->config.retention_size,
				.free = (uint64_t)c->config.retention_free,
			},
	};
	int ret = sealer_start(&options, &c->sealer);
	return ret < 0 ? log_errno(ret, "sealer") : 0;
}

static int start_control(struct collector *c)
{
	c->context = (struct commands_context){
		.store = c->store,
		.ledger = &c->ledger,
		.commit = c->commit,
		.sealer = c->sealer,
		.intel = c->intel.current,
		.feeds = c->intel.feeds,
		.hunter = c->intel.hunter,
		.entities = &c->config.entities,
		.started_ns = clock_mono_ns(),
		.ingest_lock = PTHREAD_MUTEX_INITIALIZER,
		.audit = {.store = c->store, .lock = PTHREAD_MUTEX_INITIALIZER},
		.users_lock = PTHREAD_MUTEX_INITIALIZER,
	};
	int ret = make_parents(c->config.control_path);
	if (ret == 0)
		ret = control_start(c->config.control_path, commands, &c->context, &c->control);
	if (ret == -EBUSY)
		log_err("control socket %s: another collector answers there",
			c->config.control_path);
	else if (ret < 0)
		log_errno(ret, "control socket %s", c->config.control_path);
	return ret;
}

// Lets commands see the ingest, or no longer.
static void show_ingest(struct collector *c, struct ingest *ingest)
{
	pthread_mutex_lock(&c->context.ingest_lock);
	c->context.ingest = ingest;
	pthread_mutex_unlock(&c->context.ingest_lock);
}

static void load_kept(struct collector *c)
{
	const char *words;
	keeper_load(c->config.store_dir, &c->kept, &c->ledger, &words);
	if (words)
		log_warn("%s/templates: %s", c->config.store_dir, words);
	c->setup.options.kept = &c->kept;
}

static int start_ingest(struct collector *c)
{
	char error[INGEST_SETUP_ERROR_LEN], warning[INGEST_WARNING_LEN] = "";
	int ret = ingest_setup_init(&c->setup, &c->config, c->store, error);
	if (ret < 0) {
		log_err("%s", error);
		return ret;
	}
	c->setup.options.commit = c->commit;
	c->setup.options.ledger = &c->ledger;
	load_kept(c);
	ret = ingest_start(&c->setup.options, &c->ingest, warning);
	if (ret < 0) {
		log_err("%s", warning);
		return ret;
	}
	show_ingest(c, c->ingest);
	ret = keeper_start(c->config.store_dir, c->ingest, KEEP_INTERVAL_NS, &c->keeper);
	if (ret < 0)
		return log_errno(ret, "keeper of templates");
	if (*warning)
		log_warn("%s", warning);
	for (size_t i = 0; i < c->setup.options.n_listen; i++) {
		struct endpoint ep = c->setup.listen[i];
		char text[ENDPOINT_TEXT_LEN];
		endpoint_set_port((struct sockaddr *)&ep.sa, ingest_port(c->ingest, i));
		log_info(
			"listening on %s %s",
			ep.kind == INGEST_TCP ? "tcp" : "udp",
			endpoint_format((struct sockaddr *)&ep.sa, text)
		);
	}
	return 0;
}

// Matching before the committer, hunting after it: rows on their way are committed first.
static int start_intel(struct collector *c)
{
	char error[INTEL_SETUP_ERROR_LEN] = "";
	int ret = intel_setup_start(&c->intel, &c->config, c->store, &c->ledger, error);
	if (ret < 0)
		log_err("intelligence: %s", *error ? error : strerror(-ret));
	return ret;
}

static int start(struct collector *c)
{
	int ret = start_store(c);
	if (ret == 0)
		ret = start_intel(c);
	if (ret == 0)
		ret = start_commit(c);
	if (ret == 0)
		ret = start_sealer(c);
	if (ret == 0)
		ret = start_control(c);
	return ret == 0 ? start_ingest(c) : ret;
}

// Sockets first: what waits in them is read, then committed.
static void stop(struct collector *c)
{
	commit_hurry(c->commit);
	show_ingest(c, NULL);
	if (c->ingest)
		ingest_finish(c->ingest);
	keeper_stop(c->keeper);
	ingest_stop(c->ingest);
	kept_fini(&c->kept);
	ingest_setup_fini(&c->setup);
	control_stop(c->control);
	sealer_stop(c->sealer);
	intel_setup_quiet(&c->intel);
	commit_stop(c->commit);
	intel_setup_stop(&c->intel);
	if (c->store)
		store_close(c->store);
	config_free(&collector_program, &c->config);
}

// SIGHUP: says whether the settings are good; what they change takes a restart.
static void reload(int argc, char **argv)
{
	struct collector_config fresh = {};
	notify_reloading();
	int ret = config_parse(&collector_program, argc, argv, &fresh, NULL);
	config_free(&collector_program, &fresh);
	if (ret == CONFIG_RUN)
		log_info("settings are valid; a restart applies them");
	else
		log_warn("settings are not valid; the running ones stay");
	notify_ready();
}

// For the watchdog. Ingest that waits for a free batch is not at fault: then the committer must go
// on, and does even when the store refuses.
static bool goes_on(void *arg)
{
	struct collector *c = arg;
	bool is_full;
	bool commit = commit_goes_on(c->commit, &is_full);
	bool ingest = ingest_goes_on(c->ingest);
	return commit && (ingest || is_full);
}

static void wait_for_end(struct collector *c, const sigset_t *signals, int argc, char **argv)
{
	int signal_number;
	while ((signal_number = notify_wait(signals, goes_on, c)) == SIGHUP)
		reload(argc, argv);
	log_info("ending on %s", signal_number == SIGTERM ? "SIGTERM" : "SIGINT");
}

static int exit_status(int ret)
{
	if (ret == -EACCES || ret == -EPERM)
		return EXIT_NOPERM;
	return ret == -EBUSY || ret == -EADDRINUSE ? EXIT_UNAVAILABLE : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	static struct collector c;
	sigset_t signals;

	int ret = config_parse(&collector_program, argc, argv, &c.config, NULL);
	if (ret != CONFIG_RUN)
		return ret;
	log_open(collector_program.name, c.config.verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_INFO);
	signal(SIGPIPE, SIG_IGN);
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &signals, NULL); // every thread: the main one waits for them

	ret = start(&c);
	if (ret == 0) {
		log_info("ready");
		notify_ready();
		wait_for_end(&c, &signals, argc, argv);
		notify_stopping();
	}
	stop(&c);
	return ret == 0 ? EXIT_SUCCESS : exit_status(ret);
}
