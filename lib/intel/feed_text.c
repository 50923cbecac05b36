// SPDX-License-Identifier: Apache-2.0

// Feeds of one address, network or name a line, with whatever stands behind it, and the two line
// formats with fixed places: Suricata's iprep and AlienVault's reputation.

#include "lib/intel/row.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#define LOOK_AT 50 // lines that decide what a feed looks like

bool text_next(struct text_lines *t, struct field *ret_line)
{
	if (t->p >= t->end)
		return false;
	const char *nl = memchr(t->p, '\n', (size_t)(t->end - t->p));
	const char *end = nl ? nl : t->end, *p = t->p;
	t->p = nl ? nl + 1 : t->end;
	if (t->number++ == 0 && end - p >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		p += 3; // a byte order mark
	while (end > p && end[-1] == '\r')
		end--;
	const char *first = p, *last = end;
	while (first < last && (*first == ' ' || *first == '\t'))
		first++;
	while (last > first && (last[-1] == ' ' || last[-1] == '\t' || last[-1] == '\r'))
		last--;
	if (!t->is_table || first == last)
		p = first, end = last;
	*ret_line = (struct field){p, (size_t)(end - p)};
	return true;
}

bool text_fits_often(
	const char *data, size_t len, bool (*fits)(const struct field *line), unsigned one_in
)
{
	struct text_lines t = {.p = data, .end = data + len};
	struct field line;
	unsigned seen = 0, good = 0;
	while (seen < LOOK_AT && text_next(&t, &line)) {
		if (text_is_comment(&line) || line.len > FEED_LINE_MAX)
			continue;
		seen++;
		good += fits(&line);
	}
	return seen && good * one_in >= seen;
}

static size_t token_len(const char *p, size_t len, const char *ends)
{
	size_t n = 0;
	while (n < len && p[n] && !strchr(ends, p[n]))
		n++;
	return n;
}

// The next word; what is left stays in *l.
static struct field next_word(struct field *l)
{
	size_t skip = 0;
	while (skip < l->len && (isspace((unsigned char)l->p[skip]) || l->p[skip] == ','))
		skip++;
	struct field w = {l->p + skip, token_len(l->p + skip, l->len - skip, " \t,;#")};
	l->p = w.p + w.len;
	l->len -= skip + w.len;
	return w;
}

static bool is_host_line(const struct field *first, const struct field *second)
{
	bool here = (first->len == 9 && memcmp(first->p, "127.0.0.1", 9) == 0) ||
		    (first->len == 7 && memcmp(first->p, "0.0.0.0", 7) == 0);
	return here && second->len > 0;
}

static bool is_number(const struct field *f)
{
	for (size_t i = 0; i < f->len; i++)
		if (!isdigit((unsigned char)f->p[i]))
			return false;
	return f->len > 0;
}

static bool is_net(const struct field *f)
{
	struct indicator i;
	char name[INDICATOR_NAME_MAX + 1];
	return !indicator_parse(f->p, f->len, &i, name) && i.type == INDICATOR_NET;
}

static bool is_addr(const struct field *f)
{
	return is_net(f) && !memchr(f->p, '/', f->len);
}

// "start<TAB>end<TAB>24<TAB>…": DShield says a network by its ends and length.
static bool dshield_net(const struct field *first, struct field rest, char text[static 64])
{
	struct field last = next_word(&rest), len = next_word(&rest);
	if (!is_addr(&last) || !is_number(&len) || len.len > 2 || first->len > 45)
		return false;
	memcpy(text, first->p, first->len);
	text[first->len] = '/';
	memcpy(text + first->len + 1, len.p, len.len);
	text[first->len + 1 + len.len] = '\0';
	return true;
}

// FireHOL says its category in the head: "# Category        : malware".
static void take_head(struct feed_parser *f, const struct field *line)
{
	const char *at = memmem(line->p, line->len, "Category", 8);
	const char *end = line->p + line->len;
	if (!at || f->category[0])
		return;
	at += 8;
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	if (at == end || *at++ != ':')
		return;
	while (at < end && *at == ' ')
		at++;
	size_t len = (size_t)(end - at);
	len = len < sizeof(f->category) - 1 ? len : sizeof(f->category) - 1;
	memcpy(f->category, at, len);
	f->category[len] = '\0';
}

// "AS612 ; US | NAME": Spamhaus lists whole networks by number; nothing here knows those.
static bool is_as_number(const struct field *first)
{
	struct field number = {first->p + 2, first->len < 2 ? 0 : first->len - 2};
	return first->len > 2 && strncasecmp(first->p, "AS", 2) == 0 && is_number(&number);
}

static void plain_line(struct feed_parser *f, const struct field *line)
{
	char net[64];
	struct row r = {};
	struct field rest = *line, first, second;
	if (rest.len > 5 && strncasecmp(rest.p, "port ", 5) == 0) {
		row_set(&r, ROW_VALUE, line->p, line->len);
		row_take(f, &r);
		return;
	}
	first = next_word(&rest);
	if (is_as_number(&first)) {
		f->report->unsupported++;
		return;
	}
	struct field after = rest;
	second = next_word(&after);
	if (is_host_line(&first, &second)) {
		row_set(&r, ROW_VALUE, second.p, second.len);
	} else if (is_addr(&first) && dshield_net(&first, rest, net)) {
		row_set(&r, ROW_VALUE, net, strlen(net));
	} else {
		row_set(&r, ROW_VALUE, first.p, first.len);
		while (rest.len && strchr(" \t,;#", *rest.p))
			rest.p++, rest.len--;
		row_set(&r, ROW_REFERENCE, rest.p, rest.len);
	}
	row_take(f, &r);
}

// Walks the lines that say something.
static bool next_row(struct feed_parser *f, struct text_lines *t, struct field *ret_line)
{
	while (text_next(t, ret_line)) {
		f->line = t->number;
		if (text_is_comment(ret_line)) {
			take_head(f, ret_line);
			continue;
		}
		f->report->lines++;
		if (ret_line->len > FEED_LINE_MAX)
			row_reject(f, "a line that is too long", ret_line->p, ret_line->len);
		else
			return true;
	}
	return false;
}

void feed_plain_parse(struct feed_parser *f, const char *data, size_t len)
{
	struct text_lines t = {.p = data, .end = data + len};
	struct field line;
	while (!f->no_memory && next_row(f, &t, &line))
		plain_line(f, &line);
}

static bool plain_fits_line(const struct field *line)
{
	struct field rest = *line, first = next_word(&rest);
	struct indicator i;
	char name[INDICATOR_NAME_MAX + 1];
	return !indicator_parse(first.p, first.len, &i, name) || is_as_number(&first) ||
	       (line->len > 5 && strncasecmp(line->p, "port ", 5) == 0) ||
	       (first.len && memmem(first.p, first.len, "://", 3));
}

bool feed_plain_fits(const char *data, size_t len)
{
	return text_fits_often(data, len, plain_fits_line, 4);
}

// The n-th part (from 0) of a line with fixed separators.
static struct field part(const struct field *line, char separator, unsigned n)
{
	const char *p = line->p, *end = line->p + line->len;
	for (; n && p; n--) {
		p = memchr(p, separator, (size_t)(end - p));
		p = p ? p + 1 : NULL;
	}
	if (!p)
		return (struct field){};
	const char *stop = memchr(p, separator, (size_t)(end - p));
	return (struct field){p, (size_t)((stop ? stop : end) - p)};
}

// One line that holds all: "192.0.2.1,192.0.2.2,…"
bool feed_commas_fits(const char *data, size_t len)
{
	struct text_lines t = {.p = data, .end = data + len};
	struct field line;
	while (text_next(&t, &line)) {
		struct field first = part(&line, ',', 0), second = part(&line, ',', 1);
		if (line.len)
			return is_addr(&first) && second.p && is_net(&second);
	}
	return false;
}

// Items are numbered as lines are elsewhere.
void feed_commas_parse(struct feed_parser *f, const char *data, size_t len)
{
	for (const char *p = data, *end = data + len; p < end && !f->no_memory;) {
		size_t n = 0;
		while (p + n < end && p[n] != ',' && p[n] != '\n')
			n++;
		struct field value = {p, n};
		struct row r = {};
		p += p + n < end ? n + 1 : n;
		f->line++;
		while (value.len && isspace((unsigned char)*value.p))
			value.p++, value.len--;
		if (value.len == 0)
			continue;
		f->report->lines++;
		row_set(&r, ROW_VALUE, value.p, value.len);
		row_take(f, &r);
	}
}

// Suricata: numbers of categories are below 60, scores end at 127.
static bool is_below(const struct field *number, unsigned digits, unsigned limit)
{
	unsigned n = 0;
	if (!is_number(number) || number->len > digits)
		return false;
	for (size_t i = 0; i < number->len; i++)
		n = n * 10 + (unsigned)(number->p[i] - '0');
	return n < limit;
}

// "192.0.2.1,3,120": address or network, category, score
static bool iprep_fits_line(const struct field *line)
{
	struct field value = part(line, ',', 0), category = part(line, ',', 1);
	struct field score = part(line, ',', 2), none = part(line, ',', 3);
	return is_below(&category, 2, 60) && is_below(&score, 3, 128) && !none.p && is_net(&value);
}

bool feed_iprep_fits(const char *data, size_t len)
{
	return text_fits_often(data, len, iprep_fits_line, 2);
}

void feed_iprep_parse(struct feed_parser *f, const char *data, size_t len)
{
	struct text_lines t = {.p = data, .end = data + len};
	struct field line;
	while (!f->no_memory && next_row(f, &t, &line)) {
		char category[32] = "category ";
		struct field number = part(&line, ',', 1), score = part(&line, ',', 2);
		struct field value = part(&line, ',', 0);
		struct row r = {};
		if (!is_below(&number, 2, 60) || !is_below(&score, 3, 128) ||
		    part(&line, ',', 3).p) {
			row_reject(
				f,
				"expected ADDRESS,CATEGORY,SCORE (category < 60, score < 128)",
				line.p,
				line.len
			);
			continue;
		}
		memcpy(category + 9, number.p, number.len);
		row_set(&r, ROW_VALUE, value.p, value.len);
		row_set(&r, ROW_CATEGORY, category, 9 + number.len);
		row_set(&r, ROW_SCORE_127, score.p, score.len);
		row_take(f, &r);
	}
}

// "192.0.2.1#4#3#Scanning Host#CN#…": address, reliability and risk 1 to 10, types
static bool alienvault_fits_line(const struct field *line)
{
	struct field value = part(line, '#', 0), reliability = part(line, '#', 1);
	struct field risk = part(line, '#', 2);
	return is_number(&reliability) && is_number(&risk) && part(line, '#', 3).len &&
	       is_addr(&value);
}

bool feed_alienvault_fits(const char *data, size_t len)
{
	return text_fits_often(data, len, alienvault_fits_line, 2);
}

void feed_alienvault_parse(struct feed_parser *f, const char *data, size_t len)
{
	struct text_lines t = {.p = data, .end = data + len};
	struct field line;
	while (!f->no_memory && next_row(f, &t, &line)) {
		struct row r = {};
		struct field value = part(&line, '#', 0), risk = part(&line, '#', 2);
		struct field kinds = part(&line, '#', 3), reliability = part(&line, '#', 1);
		if (!alienvault_fits_line(&line)) {
			row_reject(f, "expected ADDRESS#RELIABILITY#RISK#TYPE", line.p, line.len);
			continue;
		}
		row_set(&r, ROW_VALUE, value.p, value.len);
		row_set(&r, ROW_RISK_10, risk.p, risk.len);
		row_set(&r, ROW_RELIABILITY_10, reliability.p, reliability.len);
		row_set(&r, ROW_CATEGORY, kinds.p, kinds.len);
		row_take(f, &r);
	}
}
