// SPDX-License-Identifier: Apache-2.0
#include "cli/import.h"

#include "cli/account.h"
#include "cli/import_file.h"
#include "cli/output.h"
#include "cli/report.h"
#include "lib/base/clock.h"
#include "lib/base/config.h"
#include "lib/base/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define EXIT_UNAVAILABLE 69 // sysexits EX_UNAVAILABLE

struct settings {
	struct config_list paths;
	char *to, *control, *entity, *output;
	int64_t rate;
	bool decode, unverified;
};

#define AT(m) offsetof(struct settings, m)
static const struct config_item items[] = {
	{.arg = "FILE|DIR", .type = CONFIG_LIST, .offset = AT(paths), .text = "what to read"},
	{NULL,
	 "to",
	 "TO",
	 CONFIG_STRING,
	 AT(to),
	 0,
	 0,
	 "tcp:127.0.0.1:4739",
	 "the collector, tcp:HOST:PORT or udp:HOST:PORT"},
	{"control",
	 "control",
	 "PATH",
	 CONFIG_STRING,
	 AT(control),
	 0,
	 0,
	 "/run/weir/control.sock",
	 "its control socket, asked whether all was stored"},
	{NULL,
	 "entity",
	 "E",
	 CONFIG_STRING,
	 AT(entity),
	 0,
	 0,
	 NULL,
	 "whose flows they become; none given: by their exporters"},
	{NULL,
	 "decode",
	 NULL,
	 CONFIG_BOOL,
	 AT(decode),
	 0,
	 0,
	 "yes",
	 "=no: send a capture's datagrams as they are, over UDP; their exporter is then this host"},
	{NULL, "rate", "N", CONFIG_INT, AT(rate), 0, INT64_MAX, "0", "flows a second; 0: no limit"},
	{NULL,
	 "unverified",
	 NULL,
	 CONFIG_BOOL,
	 AT(unverified),
	 0,
	 0,
	 NULL,
	 "do not ask the collector's ledger"},
	{NULL,
	 "output",
	 "FORMAT",
	 CONFIG_STRING,
	 AT(output),
	 0,
	 0,
	 "table",
	 "of the report: table, json or csv"},
};

static int check(const void *config, const char **ret_what)
{
	const struct settings *s = config;
	enum output_format format;
	struct endpoint to;
	*ret_what = NULL;
	if (s->paths.n == 0)
		*ret_what = "nothing to import: name files or folders";
	else if (sender_parse(s->to, &to) < 0)
		*ret_what = "--to is tcp:HOST:PORT or udp:HOST:PORT";
	else if (!s->decode && to.kind != SENDER_UDP)
		*ret_what = "--decode=no needs --to udp:HOST:PORT: datagrams are sent as they are";
	else if (!s->decode && *s->entity)
		*ret_what = "--entity does not go with --decode=no: datagrams are sent as they are";
	else if (output_format_parse(s->output, &format) < 0)
		*ret_what = "--output is table, json or csv";
	return *ret_what ? -EINVAL : 0;
}

static const struct config_program program = {
	.name = "weir import",
	.section = "import",
	.synopsis = "FILE|DIR... [OPTION]...",
	.about = "Reads nfdump 1.7 files and captures (pcap, pcapng) of NetFlow v5, v9 and IPFIX, "
		 "and\n"
		 "sends their flows to the collector, with the exporter and the times they had. "
		 "Waits\n"
		 "until the collector's ledger says that all are stored.",
	.items = items,
	.n_items = sizeof(items) / sizeof(*items),
	.size = sizeof(struct settings),
	.check = check,
};

// An import from its first question to its report.
struct import {
	struct settings settings;
	struct endpoint to;
	struct inputs inputs;
	struct outlet outlet;
	struct importer importer;
	struct account before, after;
	struct raw_counts raw;
	uint64_t begin_ns, sent_ns, end_ns; // monotonic
	uint64_t n_sent, n_stored;
	bool is_verified; // the ledger was asked at the end
	bool is_trusted;
};

static int say(const char *what, const char *why)
{
	fprintf(stderr, "weir import: %s: %s\n", what, why);
	return EXIT_FAILURE;
}

static int unavailable(const char *why)
{
	fprintf(stderr, "weir import: %s\n", why);
	return EXIT_UNAVAILABLE;
}

// The entity's number in the collector's store; an exit status when it cannot be had.
static int ask_entity(const struct settings *s, struct ipfix_encoder_options *encoder)
{
	char error[256];
	json_t *answer, *args = json_pack("{s:s}", "name", s->entity);
	int ret = control_call(s->control, "entity", args, &answer, error);
	json_decref(args);
	if (ret == -EREMOTEIO)
		return say(s->entity, error);
	if (ret < 0)
		return unavailable(error);
	encoder->has_entity = true;
	encoder->entity = (uint16_t)json_integer_value(json_object_get(answer, "number"));
	json_decref(answer);
	return CONFIG_RUN;
}

static int open_outlet(struct import *im)
{
	struct outlet_options options = {
		.to = &im->to,
		.rate = (uint64_t)im->settings.rate,
		.encoder = {.biflow = true, .origin = true, .exact_times = true},
	};
	int status = CONFIG_RUN;
	if (*im->settings.entity)
		status = ask_entity(&im->settings, &options.encoder);
	int ret = status == CONFIG_RUN ? outlet_open(&im->outlet, &options) : 0;
	if (ret < 0) {
		say(im->settings.to, strerror(-ret));
		return EXIT_UNAVAILABLE;
	}
	if (status != CONFIG_RUN)
		return status;
	im->importer.outlet = &im->outlet;
	im->importer.decoder = decoder_create(importer_record, &im->importer);
	return im->importer.decoder ? CONFIG_RUN : say("decoder", strerror(ENOMEM));
}

static int open_raw(struct import *im)
{
	const char *control = im->settings.unverified ? NULL : im->settings.control;
	im->importer.raw = raw_create(&im->to, control);
	return im->importer.raw ? CONFIG_RUN : say("datagrams", strerror(ENOMEM));
}

// CONFIG_RUN, or an exit status.
static int begin(struct import *im)
{
	const struct settings *s = &im->settings;
	const char *path;
	char error[256];
	int ret = inputs_list(s->paths.items, s->paths.n, &im->inputs, &path);
	if (ret < 0)
		return say(path, strerror(-ret));
	if (sender_parse(s->to, &im->to) < 0)
		return say(s->to, "cannot be resolved");
	if (!s->unverified && account_ask(s->control, &im->before, error) < 0) {
		fprintf(stderr, "weir import: %s\n", error);
		return unavailable("--unverified imports without the collector's ledger");
	}
	return s->decode ? open_outlet(im) : open_raw(im);
}

static int read_all(struct import *im)
{
	const char *unit = im->settings.decode ? "flows" : "datagrams";
	int ret = 0;
	im->begin_ns = clock_mono_ns();
	im->importer.size = im->inputs.size;
	progress_begin(&im->importer.progress, "importing", unit, im->inputs.size);
	for (size_t i = 0; ret == 0 && i < im->inputs.n; i++)
		ret = importer_file(&im->importer, &im->inputs.files[i]);
	if (im->importer.decoder) {
		int last = decoder_finish(im->importer.decoder, &im->importer.tally);
		im->importer.decoder = NULL;
		ret = ret == 0 ? last : ret;
	}
	progress_end(&im->importer.progress);
	return ret;
}

// Closes what was sent to. 0, or -errno: the collector was lost.
static int finish(struct import *im, int ret)
{
	if (im->importer.raw) {
		raw_finish(im->importer.raw, &im->raw);
		im->n_sent = im->raw.sent;
	} else if (ret < 0) {
		im->n_sent = im->outlet.n_sent;
		outlet_abandon(&im->outlet);
	} else {
		ret = outlet_close(&im->outlet);
		im->n_sent = im->outlet.n_sent;
	}
	im->sent_ns = clock_mono_ns();
	return ret;
}

// What the collector counted against records since the import began.
static void tally_drops(struct import *im)
{
	for (int id = 0; id < LEDGER_N; id++) {
		const struct ledger_info *info = &ledger_infos[id];
		uint64_t n = account_grown(&im->before, &im->after, (enum ledger_id)id);
		if (info->is_drop)
			tally_add(&im->importer.tally, "collector dropped", info->text, n);
	}
}

// Waits for the ledger. True when everything sent is stored.
static bool verify(struct import *im)
{
	const struct settings *s = &im->settings;
	struct account_goal goal = {
		.before = &im->before,
		.id = s->decode ? LEDGER_records : LEDGER_datagrams,
		.n = im->n_sent,
	};
	char error[256] = "";
	int ret = account_wait(s->control, &goal, &im->after, error);
	if (ret < 0 && ret != -ETIMEDOUT) {
		say("the ledger", error);
		return false;
	}
	tally_drops(im);
	uint64_t imported = account_grown(&im->before, &im->after, LEDGER_imported);
	uint64_t records = account_grown(&im->before, &im->after, LEDGER_records);
	uint64_t lost = account_grown(&im->before, &im->after, LEDGER_no_memory) +
			account_grown(&im->before, &im->after, LEDGER_store_failed);
	im->is_trusted = imported > 0 || im->n_sent == 0 || !s->decode;
	if (!s->decode) { // the collector decodes: what of it is ours cannot be told from others'
		im->n_stored = account_grown(&im->before, &im->after, LEDGER_stored);
		return ret == 0 && lost == 0;
	}
	uint64_t arrived = imported ? imported : records;
	arrived = arrived < im->n_sent ? arrived : im->n_sent;
	im->n_stored = arrived > lost ? arrived - lost : 0;
	return ret == 0 && im->n_stored == im->n_sent;
}

static void print_report(const struct import *im)
{
	struct report report = {.tally = &im->importer.tally};
	bool is_raw = !im->settings.decode;
	double sec = (double)(im->end_ns - im->begin_ns) / NS_PER_SEC;
	double read_sec = (double)(im->sent_ns - im->begin_ns) / NS_PER_SEC;
	uint64_t n = is_raw ? im->importer.n_datagrams : im->importer.n_read;

	if (output_format_parse(im->settings.output, &report.format) < 0)
		report.format = OUTPUT_TABLE; // check has seen to it
	report_add(&report, "files", im->importer.n_files);
	report_add(&report, "bad_files", im->importer.n_bad_files);
	if (im->importer.n_datagrams)
		report_add(&report, "datagrams", im->importer.n_datagrams);
	if (!is_raw)
		report_add(&report, "read", im->importer.n_read);
	report_add(&report, "sent", im->n_sent);
	if (is_raw) {
		report_add(&report, "exporters", im->raw.exporters);
		report_add(&report, "exporters_kept", im->raw.kept);
	}
	if (im->is_verified)
		report_add(&report, "stored", im->n_stored);
	report_add(&report, "milliseconds", (uint64_t)(sec * 1000));
	report_add(&report, "per_second", read_sec > 0 ? (uint64_t)((double)n / read_sec) : 0);
	report_print(&report);
}

static int run(struct import *im)
{
	int status = begin(im);
	if (status != CONFIG_RUN)
		return status;
	progress_catch();
	int ret = read_all(im);
	ret = finish(im, ret);
	if (ret < 0) {
		const char *why = ret == -EINTR ? "interrupted" : strerror(-ret);
		say(im->settings.to, why);
	}
	bool whole = ret == 0;
	im->is_verified = !im->settings.unverified && ret != -EINTR;
	if (im->is_verified)
		whole &= verify(im);
	im->end_ns = clock_mono_ns();
	print_report(im);
	if (im->is_verified && !im->is_trusted && whole)
		fprintf(stderr,
			"weir import: the collector does not trust this host: exporter and times "
			"are "
			"not those of the files (collector.trust_exporter_field)\n");
	if (!whole && im->is_verified)
		say("not all that was sent is stored", "see the report");
	return whole && im->importer.n_bad_files == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int import_main(int argc, char **argv)
{
	static struct import im;
	int status = config_parse(&program, argc, argv, &im.settings, NULL);
	if (status == CONFIG_RUN)
		status = run(&im);
	inputs_free(&im.inputs);
	config_free(&program, &im.settings);
	return status;
}
