// SPDX-License-Identifier: Apache-2.0
#include "sensor/service.h"

#include "lib/base/control_server.h"
#include "lib/base/log.h"
#include "lib/scrape/scrape.h"

#include <rte_telemetry.h>

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct service {
	struct service_options o;
	struct control *control;
	struct scrape *scrape;
};

// A telemetry command cannot be taken back: it asks whoever is there.
static pthread_mutex_t current_lock = PTHREAD_MUTEX_INITIALIZER;
static struct service *current;

static void report_free(struct report *r)
{
	free(r->workers);
	r->workers = NULL;
}

static void print(void *ctx, FILE *out, bool open)
{
	struct service *s = ctx;
	struct report r = {};
	s->o.report(s->o.ctx, &r);
	report_metrics(&r, out, open);
	report_free(&r);
}

static json_t *cmd_ping(void *ctx, json_t *, char error[static 256])
{
	const struct service *s = ctx;
	uint64_t up_ns = clock_mono_ns() - s->o.begin_ns;
	(void)error;
	return json_pack(
		"{s:s,s:s,s:I}",
		"program",
		"weir-sensor",
		"version",
		WEIR_VERSION,
		"uptime_sec",
		(json_int_t)(up_ns / NS_PER_SEC)
	);
}

static json_t *cmd_ledger(void *ctx, json_t *, char error[static 256])
{
	struct service *s = ctx;
	struct report r = {};
	s->o.report(s->o.ctx, &r);
	json_t *answer = report_ledger(&r);
	report_free(&r);
	return answer ? answer : control_fail(error, "out of memory");
}

static json_t *cmd_metrics(void *ctx, json_t *, char error[static 256])
{
	char *text = scrape_text(print, ctx, true);
	json_t *answer = text ? json_string(text) : NULL;
	free(text);
	return answer ? answer : control_fail(error, "out of memory");
}

static const struct control_command commands[] = {
	{"ping", cmd_ping, "program, version, uptime"},
	{"ledger", cmd_ledger, "every counter and drop, of the whole, workers and ports"},
	{"metrics", cmd_metrics, "the same as OpenMetrics"},
	{},
};

static void add_numbers(struct rte_tel_data *d, const json_t *object)
{
	const char *key;
	json_t *value;
	json_object_foreach((json_t *)object, key, value)
	{
		if (json_is_integer(value))
			rte_tel_data_add_dict_u64(d, key, (uint64_t)json_integer_value(value));
	}
}

// DPDK's telemetry holds the callbacks from before the sensor starts until it has ended.
static json_t *current_ledger(void)
{
	char error[256];
	pthread_mutex_lock(&current_lock);
	json_t *ledger = current ? cmd_ledger(current, NULL, error) : NULL;
	pthread_mutex_unlock(&current_lock);
	return ledger;
}

static int tell_ledger(const char *cmd, const char *params, struct rte_tel_data *d)
{
	json_t *ledger = current_ledger();
	(void)cmd;
	(void)params;
	if (!ledger)
		return -EAGAIN;
	rte_tel_data_start_dict(d);
	add_numbers(d, json_object_get(ledger, "counters"));
	add_numbers(d, json_object_get(ledger, "drops"));
	rte_tel_data_add_dict_u64(
		d, "residue", (uint64_t)json_integer_value(json_object_get(ledger, "residue"))
	);
	json_decref(ledger);
	return 0;
}

// One worker by its number, or how many there are.
static int tell_workers(const char *cmd, const char *params, struct rte_tel_data *d)
{
	json_t *ledger = current_ledger();
	(void)cmd;
	if (!ledger)
		return -EAGAIN;
	json_t *workers = json_object_get(ledger, "workers");
	char *end;
	unsigned long i = params ? strtoul(params, &end, 10) : 0;
	bool is_number = params && *params && !*end;
	int ret = params && *params && (!is_number || i >= json_array_size(workers)) ? -EINVAL : 0;
	if (ret == 0) {
		rte_tel_data_start_dict(d);
		if (is_number)
			add_numbers(d, json_array_get(workers, i));
		else
			rte_tel_data_add_dict_u64(d, "workers", json_array_size(workers));
	}
	json_decref(ledger);
	return ret;
}

static void become_current(struct service *s)
{
	static bool registered;
	pthread_mutex_lock(&current_lock);
	current = s;
	if (s && !registered) {
		rte_telemetry_register_cmd("/weir/ledger", tell_ledger, "Every counter and drop.");
		rte_telemetry_register_cmd(
			"/weir/workers",
			tell_workers,
			"How many there are; of one. Parameter: number"
		);
		registered = true;
	}
	pthread_mutex_unlock(&current_lock);
}

int service_start(const struct service_options *o, struct service **ret_service)
{
	struct service *s = calloc(1, sizeof(*s));
	int ret = 0;
	if (!s)
		return log_errno(-ENOMEM, "service");
	s->o = *o;
	if (*o->control && (ret = control_start(o->control, commands, s, &s->control)) < 0)
		log_errno(ret, "control socket %s", o->control);
	if (ret == 0 && *o->metrics) {
		ret = scrape_start(o->metrics, print, s, &s->scrape);
		if (ret < 0)
			log_errno(ret, "metrics at %s", o->metrics);
		else
			log_info(
				"metrics at http://%s/metrics, port %u",
				o->metrics,
				scrape_port(s->scrape)
			);
	}
	if (ret < 0) {
		service_stop(s);
		return ret;
	}
	if (o->telemetry)
		become_current(s);
	*ret_service = s;
	return 0;
}

void service_stop(struct service *s)
{
	if (!s)
		return;
	become_current(NULL);
	scrape_stop(s->scrape);
	control_stop(s->control);
	free(s);
}
