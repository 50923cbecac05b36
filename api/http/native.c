// SPDX-License-Identifier: Apache-2.0
#include "api/http/native.h"

#include "api/query/time.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define ANSWER_MAX ((size_t)8 << 20)
#define COLUMNS_DEFAULT                                                                            \
	"start,end,duration_ms,src_ip,src_port,dst_ip,dst_port,proto,proto_name,flags,rev_flags,"  \
	"packets,bytes,rev_packets,rev_bytes,icmp_type,icmp_code,server_name,score,verdict,"       \
	"exporter"

static const char *const formats[] = {"json", "jsonl", "csv", NULL};

int native_number(struct call *c, const char *name, uint64_t min, uint64_t max, uint64_t *value)
{
	const char *text = query_find(&c->query, name);
	char *end;
	if (!text)
		return 0;
	errno = 0;
	unsigned long long v = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || v < min || v > max) {
		response_error(
			c->response,
			400,
			"parameter '%s': expected a whole number from %" PRIu64 " to %" PRIu64,
			name,
			min,
			max
		);
		return -EINVAL;
	}
	*value = v;
	return 0;
}

int native_choice(struct call *c, const char *name, const char *const *words, int *value)
{
	const char *text = query_find(&c->query, name);
	char all[128] = "";
	if (!text)
		return 0;
	for (int i = 0; words[i]; i++) {
		if (strcmp(words[i], text) == 0) {
			*value = i;
			return 0;
		}
		snprintf(
			all + strlen(all),
			sizeof(all) - strlen(all),
			"%s%s",
			i ? ", " : "",
			words[i]
		);
	}
	response_error(c->response, 400, "parameter '%s': expected one of %s", name, all);
	return -EINVAL;
}

// The form the Accept header asks for first that we have; JSON for anything else.
static enum native_format accepted(const char *accept)
{
	static const struct {
		const char *type;
		enum native_format format;
	} types[] = {
		{"text/csv", NATIVE_CSV},
		{"application/jsonl", NATIVE_JSONL},
		{"application/x-ndjson", NATIVE_JSONL},
		{"application/json", NATIVE_JSON},
	};
	const char *first = NULL;
	enum native_format format = NATIVE_JSON;
	for (size_t i = 0; accept && i < sizeof(types) / sizeof(types[0]); i++) {
		const char *at = strstr(accept, types[i].type);
		if (at && (!first || at < first)) {
			first = at;
			format = types[i].format;
		}
	}
	return format;
}

int native_filter(struct call *c, struct filter **ret_filter)
{
	const char *text = query_find(&c->query, "filter");
	const char *ident = query_find(&c->query, "entity");
	struct filter_error e;
	int ret = filter_parse(
		text ? text : "",
		text ? strlen(text) : 0,
		ident && *ident ? ident : c->claims.entity,
		ret_filter,
		&e
	);
	if (ret == -EINVAL)
		response_fault(c->response, "filter", e.column, e.text);
	else if (ret < 0)
		call_failed(c, ret);
	return ret;
}

int native_fields(struct call *c, struct cell_columns *ret_columns)
{
	const char *fields = query_find(&c->query, "fields");
	char bad[CELL_NAME_LEN];
	int ret = cell_columns_parse(fields ? fields : COLUMNS_DEFAULT, ret_columns, bad);
	if (ret < 0)
		response_error(c->response, 400, "parameter 'fields': what is '%s'?", bad);
	return ret;
}

int native_parse(struct call *c, struct native *ret_native)
{
	char fault[QUERY_ERROR_LEN];
	int format = (int)accepted(c->request->accept);
	*ret_native = (struct native){};
	int ret = window_parse_native(&c->query, clock_now_ns(), &ret_native->window, fault);
	if (ret < 0) {
		response_error(c->response, 400, "%s", fault);
		return ret;
	}
	ret = native_choice(c, "format", formats, &format);
	if (ret < 0)
		return ret;
	ret_native->format = (enum native_format)format;
	ret_native->entity = call_entity(c);
	if (ret_native->entity == -EPERM)
		return -EPERM;
	return native_filter(c, &ret_native->filter);
}

void native_fini(struct native *n)
{
	filter_free(n->filter);
	n->filter = NULL;
}

int native_open(struct call *c, struct native_out *o)
{
	*o = (struct native_out){};
	o->file = open_memstream(&o->text, &o->len);
	if (o->file)
		return 0;
	call_failed(c, -ENOMEM);
	return -ENOMEM;
}

const char *native_type(enum native_format f)
{
	static const char *const types[] = {
		[NATIVE_JSON] = "application/json",
		[NATIVE_JSONL] = "application/x-ndjson",
		[NATIVE_CSV] = "text/csv; charset=utf-8",
	};
	return types[f];
}

void native_close(struct call *c, const struct native *n, struct native_out *o)
{
	bool failed = ferror(o->file);
	failed |= fclose(o->file) != 0;
	if (!failed && o->len <= ANSWER_MAX) {
		response_body(c->response, native_type(n->format), o->text, o->len);
		return;
	}
	free(o->text);
	if (failed)
		call_failed(c, -ENOMEM);
	else
		response_error(
			c->response, 422, "the answer is above 8 MiB: ask for less at a time"
		);
}

void native_row_begin(struct native_out *o, enum native_format f, bool first)
{
	if (f != NATIVE_CSV)
		fputs(f == NATIVE_JSON && !first ? ",{" : "{", o->file);
}

void native_cell(
	struct native_out *o,
	enum native_format f,
	const struct cell_column *c,
	const struct cell *v,
	bool first
)
{
	if (!first)
		putc(',', o->file);
	if (f == NATIVE_CSV) {
		cell_print_csv(o->file, c, v);
	} else {
		fprintf(o->file, "\"%s\":", c->name);
		cell_print_json(o->file, c, v);
	}
}

void native_count(
	struct native_out *o, enum native_format f, const char *name, uint64_t v, bool first
)
{
	if (!first)
		putc(',', o->file);
	if (f == NATIVE_CSV)
		fprintf(o->file, "%" PRIu64, v);
	else
		fprintf(o->file, "\"%s\":%" PRIu64, name, v);
}

void native_row_end(struct native_out *o, enum native_format f)
{
	static const char *const ends[] = {
		[NATIVE_JSON] = "}", [NATIVE_JSONL] = "}\n", [NATIVE_CSV] = "\r\n"};
	fputs(ends[f], o->file);
}

void native_meta(struct native_out *o, const struct native *n, const struct walk_counts *counts)
{
	char start[TIME_TEXT_LEN], end[TIME_TEXT_LEN];
	fprintf(o->file,
		"{\"start\":\"%s\",\"end\":\"%s\",\"scanned\":%" PRIu64 ",\"matched\":%" PRIu64,
		time_format(n->window.from_ns, start),
		time_format(n->window.to_ns + 1, end),
		counts->scanned,
		counts->passed);
}
