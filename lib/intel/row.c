// SPDX-License-Identifier: Apache-2.0
#include "lib/intel/row.h"

#include "lib/base/clock.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define SCORE_DEFAULT 700
#define CONFIDENCE_DEFAULT 75
#define PROTO_TCP 6

static bool is_word(const struct field *f, const char *word)
{
	return f->len == strlen(word) && strncasecmp(f->p, word, f->len) == 0;
}

enum row_role row_role_of(const char *name, size_t len)
{
	static const struct {
		const char *name;
		enum row_role role;
	} roles[] = {
		{"indicator", ROW_VALUE},
		{"value", ROW_VALUE},
		{"ioc_value", ROW_VALUE},
		{"ioc", ROW_VALUE},
		{"dst_ip", ROW_VALUE},
		{"dstip", ROW_VALUE},
		{"ip_address", ROW_VALUE},
		{"ip", ROW_VALUE},
		{"ipv4", ROW_VALUE},
		{"ipv6", ROW_VALUE},
		{"cidr", ROW_VALUE},
		{"domain", ROW_VALUE},
		{"address", ROW_VALUE},
		{"url", ROW_URL},
		{"dst_port", ROW_PORT},
		{"dstport", ROW_PORT},
		{"port", ROW_PORT},
		{"proto", ROW_PROTO},
		{"protocol", ROW_PROTO},
		{"type", ROW_TYPE},
		{"ioc_type", ROW_TYPE},
		{"indicator_type", ROW_TYPE},
		{"category", ROW_CATEGORY},
		{"threat_type", ROW_CATEGORY},
		{"threat", ROW_CATEGORY},
		{"score", ROW_SCORE},
		{"livescore", ROW_SCORE},
		{"severity", ROW_SEVERITY},
		{"confidence", ROW_CONFIDENCE},
		{"confidence_level", ROW_CONFIDENCE},
		{"first_seen", ROW_FIRST_SEEN},
		{"first_seen_utc", ROW_FIRST_SEEN},
		{"firstseen", ROW_FIRST_SEEN},
		{"dateadded", ROW_FIRST_SEEN},
		{"valid_from", ROW_FIRST_SEEN},
		{"date", ROW_FIRST_SEEN},
		{"last_seen", ROW_LAST_SEEN},
		{"last_seen_utc", ROW_LAST_SEEN},
		{"last_online", ROW_LAST_SEEN},
		{"lastupdate", ROW_LAST_SEEN},
		{"valid_until", ROW_EXPIRES},
		{"expires", ROW_EXPIRES},
		{"expiration", ROW_EXPIRES},
		{"until", ROW_EXPIRES},
		{"reference", ROW_REFERENCE},
		{"urlhaus_link", ROW_REFERENCE},
		{"meta.url", ROW_REFERENCE},
		{"sblid", ROW_REFERENCE},
		{"description", ROW_DESCRIPTION},
		{"malware_printable", ROW_DESCRIPTION},
		{"malware", ROW_DESCRIPTION},
		{"comment", ROW_DESCRIPTION},
		{"meta.desc", ROW_DESCRIPTION},
		{"tags", ROW_DESCRIPTION},
		{"listingreason", ROW_DESCRIPTION},
		{"is_compromised", ROW_COMPROMISED},
		{"is_cdn", ROW_SHARED},
		{"to_ids", ROW_ACTIVE},
		{"is_active", ROW_ACTIVE},
		{"meta.whitelist", ROW_ALLOW},
		{"meta.remove", ROW_REMOVED},
	};
	struct field f = {name, len};
	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (is_word(&f, roles[i].name))
			return roles[i].role;
	return ROW_IGNORED;
}

void row_reject(struct feed_parser *f, const char *why, const char *sample, size_t len)
{
	struct feed_report *r = f->report;
	r->rejected++;
	if (r->n_rejects == FEED_REJECTS_SHOWN)
		return;
	struct feed_reject *x = &r->rejects[r->n_rejects++];
	x->line = f->line;
	snprintf(x->why, sizeof(x->why), "%s", why);
	len = len < sizeof(x->sample) - 1 ? len : sizeof(x->sample) - 1;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)sample[i];
		x->sample[i] = (char)(c < 0x20 || c >= 0x7f ? '?' : c);
	}
	x->sample[len] = '\0';
}

// What the feed's word for an indicator's kind means.
enum kind { KIND_ANY, KIND_NET, KIND_NAME, KIND_HOST, KIND_URL, KIND_PORT, KIND_OTHER };

static enum kind kind_of(const struct field *type)
{
	static const struct {
		const char *word;
		enum kind kind;
	} kinds[] = {
		{"ip:port", KIND_NET},	    {"ip-dst|port", KIND_NET},
		{"ip-src|port", KIND_NET},  {"ip", KIND_NET},
		{"ip-src", KIND_NET},	    {"ip-dst", KIND_NET},
		{"ipv4", KIND_NET},	    {"ipv6", KIND_NET},
		{"cidr", KIND_NET},	    {"net", KIND_NET},
		{"addr_port", KIND_NET},    {"addr", KIND_NET},
		{"address", KIND_NET},	    {"network", KIND_NET},
		{"ipv4-addr", KIND_NET},    {"ipv6-addr", KIND_NET},
		{"domain-name", KIND_NAME}, {"fqdn", KIND_NAME},
		{"intel::addr", KIND_NET},  {"intel::subnet", KIND_NET},
		{"port", KIND_PORT},	    {"domain", KIND_NAME},
		{"name", KIND_NAME},	    {"intel::domain", KIND_NAME},
		{"hostname", KIND_HOST},    {"url", KIND_URL},
		{"uri", KIND_URL},	    {"intel::url", KIND_URL},
	};
	if (type->len == 0)
		return KIND_ANY;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (is_word(type, kinds[i].word))
			return kinds[i].kind;
	return KIND_OTHER;
}

static bool is_null(const struct field *f)
{
	return f->len == 0 || is_word(f, "none") || is_word(f, "null") || is_word(f, "-") ||
	       is_word(f, "n/a");
}

static bool is_true(const struct field *f)
{
	return is_word(f, "true") || is_word(f, "t") || is_word(f, "1") || is_word(f, "yes");
}

static struct field trimmed(struct field f)
{
	while (f.len && isspace((unsigned char)*f.p))
		f.p++, f.len--;
	while (f.len && isspace((unsigned char)f.p[f.len - 1]))
		f.len--;
	return f;
}

// 0..max scaled to 0..to; `def` for what is no number.
static uint16_t scaled(const struct field *f, unsigned max, unsigned to, uint16_t def)
{
	char text[16], *end;
	if (is_null(f) || f->len >= sizeof(text))
		return def;
	memcpy(text, f->p, f->len);
	text[f->len] = '\0';
	double v = strtod(text, &end);
	if (end == text || *end || !(v >= 0))
		return def;
	v = v > max ? max : v;
	return (uint16_t)(v * to / max + 0.5);
}

// The host of "http://host:port/path"; false when there is none.
static bool host_of_url(const struct field *url, struct field *ret_host, struct field *ret_port)
{
	const char *end = url->p + url->len, *p = memmem(url->p, url->len, "://", 3);
	p = p ? p + 3 : url->p;
	const char *stop = p;
	while (stop < end && *stop != '/' && *stop != '?' && *stop != '#')
		stop++;
	const char *at = memrchr(p, '@', (size_t)(stop - p));
	p = at ? at + 1 : p;
	const char *close = p < stop && *p == '[' ? memchr(p, ']', (size_t)(stop - p)) : NULL;
	const char *colon = memchr(close ? close : p, ':', (size_t)(stop - (close ? close : p)));
	const char *host_end = colon ? colon : stop;
	*ret_host = close ? (struct field){p + 1, (size_t)(close - p - 1)}
			  : (struct field){p, (size_t)(host_end - p)};
	*ret_port = colon ? (struct field){colon + 1, (size_t)(stop - colon - 1)}
			  : (struct field){"80", 2};
	if (!colon && url->len > 5 && strncasecmp(url->p, "https", 5) == 0)
		ret_port->p = "443", ret_port->len = 3;
	return ret_host->len > 0;
}

// "192.0.2.1|443" is MISP's way to say ":".
static size_t value_text(const struct field *value, const struct field *port, char text[static 320])
{
	const char *bar = memchr(value->p, '|', value->len);
	size_t len = value->len < 255 ? value->len : 255;
	bool v6 = memchr(value->p, ':', len) && *value->p != '[';
	if (bar)
		return (size_t)snprintf(
			text,
			320,
			v6 ? "[%.*s]:%.*s" : "%.*s:%.*s",
			(int)(bar - value->p),
			value->p,
			(int)(value->p + value->len - bar - 1),
			bar + 1
		);
	bool has_port = !is_null(port) && port->len < 16 && !is_word(port, "0");
	bool has_own = *value->p == '[' || (!v6 && memchr(value->p, ':', len));
	if (has_port && !has_own && !memchr(value->p, '/', len))
		return (size_t)snprintf(
			text,
			320,
			v6 ? "[%.*s]:%.*s" : "%.*s:%.*s",
			(int)len,
			value->p,
			(int)port->len,
			port->p
		);
	memcpy(text, value->p, len);
	text[len] = '\0';
	return value->len;
}

static uint8_t proto_of(const struct field *f)
{
	if (is_word(f, "udp"))
		return 17;
	return is_word(f, "tcp") ? PROTO_TCP : 0;
}

static void weigh(const struct feed_parser *f, const struct row *r, struct indicator *i)
{
	const struct feed_options *o = f->o;
	uint16_t def = o->score ? o->score : SCORE_DEFAULT;
	i->score = scaled(&r->fields[ROW_SCORE], INDICATOR_SCORE_MAX, INDICATOR_SCORE_MAX, def);
	i->score = scaled(&r->fields[ROW_SCORE_127], 127, INDICATOR_SCORE_MAX, i->score);
	i->score = scaled(&r->fields[ROW_RISK_10], 10, INDICATOR_SCORE_MAX, i->score);
	uint16_t sure = o->confidence ? o->confidence : CONFIDENCE_DEFAULT;
	sure = scaled(&r->fields[ROW_CONFIDENCE], 100, 100, sure);
	i->confidence = (uint8_t)scaled(&r->fields[ROW_RELIABILITY_10], 10, 100, sure);
	// A victim's or a shared address says less of who talks to it.
	if (is_true(&r->fields[ROW_COMPROMISED]) || is_true(&r->fields[ROW_SHARED])) {
		i->score /= 2;
		i->confidence /= 2;
	}
	char word[16] = "";
	const struct field *severity = &r->fields[ROW_SEVERITY];
	if (severity->len && severity->len < sizeof(word))
		memcpy(word, severity->p, severity->len);
	if (!indicator_severity_parse(word, &i->severity))
		i->severity = o->severity ? o->severity : indicator_severity_of(i->score);
}

static uint32_t time_of(const struct field *f)
{
	return f->len ? clock_parse_sec(f->p, f->len) : 0;
}

static void date(const struct row *r, struct indicator *i)
{
	i->first_seen = time_of(&r->fields[ROW_FIRST_SEEN]);
	i->last_seen = time_of(&r->fields[ROW_LAST_SEEN]);
	i->expires = time_of(&r->fields[ROW_EXPIRES]);
}

static uint32_t text(struct feed_parser *f, const struct field *field, const char *def)
{
	struct field v = is_null(field) ? (struct field){def, strlen(def)} : *field;
	v.len = v.len < INTEL_LIST_TEXT_MAX ? v.len : INTEL_LIST_TEXT_MAX;
	uint32_t offset = intel_list_text(f->list, v.p, v.len);
	f->no_memory |= offset == UINT32_MAX;
	return offset == UINT32_MAX ? 0 : offset;
}

static bool is_over(const struct feed_parser *f, const struct indicator *i)
{
	uint32_t seen = i->last_seen > i->first_seen ? i->last_seen : i->first_seen;
	if (i->expires && i->expires <= f->now_sec)
		return true;
	return f->o->max_age_sec && seen && seen < f->now_sec &&
	       f->now_sec - seen > f->o->max_age_sec;
}

static void add(struct feed_parser *f, const struct row *r, struct indicator *i, const char *name)
{
	const char *category = f->o->category && *f->o->category ? f->o->category : f->category;
	bool is_net = i->type == INDICATOR_NET || i->type == INDICATOR_ADDR_PORT;
	i->is_allow = f->o->is_allow || f->is_allow || is_true(&r->fields[ROW_ALLOW]);
	i->is_forced = f->o->keep_reserved;
	date(r, i);
	if (is_net && !i->is_allow && !f->o->keep_reserved && indicator_is_reserved(&i->net)) {
		f->report->reserved++;
		return;
	}
	if (is_over(f, i) || is_true(&r->fields[ROW_REMOVED])) {
		f->report->expired++;
		return;
	}
	if (f->o->max_items && f->list->n >= f->o->max_items) {
		f->report->over_limit++;
		return;
	}
	weigh(f, r, i);
	i->category = text(f, &r->fields[ROW_CATEGORY], category);
	i->description = text(f, &r->fields[ROW_DESCRIPTION], "");
	i->reference = text(f, &r->fields[ROW_REFERENCE], "");
	if (f->no_memory || intel_list_add(f->list, i, name) < 0)
		f->no_memory = true;
	else
		f->report->taken++;
}

// A URL counts by its host when that is an address; a name that serves one bad file among others is
// not bad itself.
static void take_url(struct feed_parser *f, const struct row *r, const struct field *url)
{
	struct indicator i = {};
	struct field host, port;
	char value[320], name[INDICATOR_NAME_MAX + 1];
	if (!host_of_url(url, &host, &port)) {
		row_reject(f, "a URL without a host", url->p, url->len);
		return;
	}
	size_t len = value_text(&host, &port, value);
	if (indicator_parse(value, len, &i, name) || i.type != INDICATOR_ADDR_PORT) {
		f->report->unsupported++;
		return;
	}
	i.proto = PROTO_TCP;
	add(f, r, &i, "");
}

void row_take(struct feed_parser *f, const struct row *r)
{
	struct indicator i = {};
	char value[320], name[INDICATOR_NAME_MAX + 1];
	enum kind kind = kind_of(&r->fields[ROW_TYPE]);
	struct field v = trimmed(r->fields[ROW_VALUE]), url = trimmed(r->fields[ROW_URL]);

	if (kind == KIND_OTHER || (r->fields[ROW_ACTIVE].len && !is_true(&r->fields[ROW_ACTIVE]))) {
		f->report->unsupported++;
		return;
	}
	if (is_null(&v) && url.len) {
		v = url;
		kind = KIND_URL;
	}
	if (kind == KIND_PORT && is_null(&v))
		v = r->fields[ROW_PORT];
	if (is_null(&v)) {
		row_reject(f, "no value", v.p, v.len);
		return;
	}
	if (kind == KIND_URL || (kind == KIND_ANY && memmem(v.p, v.len, "://", 3))) {
		take_url(f, r, &v);
		return;
	}
	const struct field none = {};
	bool plain_port = kind == KIND_PORT && isdigit((unsigned char)*v.p);
	size_t len =
		plain_port
			? (size_t)snprintf(
				  value,
				  sizeof(value),
				  "port %.*s",
				  (int)(v.len < 16 ? v.len : 16),
				  v.p
			  )
			: value_text(&v, kind == KIND_PORT ? &none : &r->fields[ROW_PORT], value);
	indicator_fault fault = indicator_parse(value, len, &i, name);
	if (fault) {
		row_reject(f, fault, v.p, v.len);
		return;
	}
	if (i.type == INDICATOR_NAME)
		i.is_exact |= f->o->is_exact || kind == KIND_HOST;
	if (i.type == INDICATOR_PORT || i.type == INDICATOR_ADDR_PORT)
		i.proto = i.proto ? i.proto : proto_of(&r->fields[ROW_PROTO]);
	add(f, r, &i, name);
}
