// SPDX-License-Identifier: Apache-2.0
#include "collector/intel_setup.h"

#include "collector/intel/fetch.h"
#include "lib/base/prefixes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void on_change(void *ctx, struct intel_db *db)
{
	hunter_changed(ctx, db);
}

static int
start_parts(struct intel_setup *s, struct store *store, struct ledger *ledger, unsigned n_gate)
{
	struct gate_options gate = {.n_threads = n_gate, .ledger = ledger};
	struct hunter_options hunter = {
		.store = store, .thread = n_gate, .n_matchers = s->n_matchers, .dir = s->dir};
	s->current = intel_current_create();
	gate.current = s->current;
	s->gate = s->current ? gate_create(&gate) : NULL;
	if (!s->gate)
		return -ENOMEM;
	if (mkdir(s->dir, 0750) < 0 && errno != EEXIST)
		return -errno;
	return hunter_start(&hunter, &s->hunter);
}

int intel_setup_start(
	struct intel_setup *s,
	const struct collector_config *config,
	struct store *store,
	struct ledger *ledger,
	char error[static INTEL_SETUP_ERROR_LEN]
)
{
	unsigned n_gate = (unsigned)config->threads + 1; // and the control socket's posts
	*s = (struct intel_setup){.n_matchers = n_gate + 1};
	if (asprintf(&s->dir, "%s/intel", config->store_dir) < 0) {
		s->dir = NULL;
		return -ENOMEM;
	}
	s->own = prefixes_of(&config->own);
	int ret = s->own ? 0 : -ENOMEM;
	if (ret == 0 && (ret = start_parts(s, store, ledger, n_gate)) < 0)
		snprintf(error, INTEL_SETUP_ERROR_LEN, "%.200s: %s", s->dir, strerror(-ret));
	if (ret < 0)
		return ret;
	struct feeds_options feeds = {
		.store = store,
		.current = s->current,
		.dir = s->dir,
		.feeds = &config->feeds,
		.files = &config->intel_files,
		.own = s->own,
		.n_own = config->own.n,
		.n_threads = s->n_matchers,
		.on_change = on_change,
		.ctx = s->hunter,
	};
	ret = fetch_init();
	return ret == 0 ? feeds_start(&feeds, &s->feeds, error) : ret;
}

void intel_setup_quiet(struct intel_setup *s)
{
	feeds_stop(s->feeds);
	s->feeds = NULL;
	hunter_stop(s->hunter);
	s->hunter = NULL;
}

void intel_setup_stop(struct intel_setup *s)
{
	intel_setup_quiet(s);
	gate_free(s->gate);
	intel_current_free(s->current);
	free(s->own);
	free(s->dir);
	*s = (struct intel_setup){};
}
