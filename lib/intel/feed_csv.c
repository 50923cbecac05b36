// SPDX-License-Identifier: Apache-2.0

// Tables with a line that names their columns: CSV (RFC 4180, blanks before a quote allowed; the
// head may stand in a comment, as abuse.ch has it) and Zeek's intel files (tabs, "#fields").

#include "lib/intel/row.h"

#include <string.h>

#define COLUMNS_MAX 64
#define HEAD_LINES 100	// within which the head must come
#define LOOK_AT 50	// rows that decide whether it is one
#define ROW_LINES 16	// that a row with line ends in quotes may take
#define SPLIT_OPEN (-2) // a quote that is not closed

struct columns {
	unsigned n;
	uint8_t roles[COLUMNS_MAX];
};

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	return p;
}

// A field from its quote on, unescaped to *scratch; what stands behind it, or NULL: it is not
// closed.
static const char *
take_quoted(const char *p, const char *end, char **scratch, struct field *ret_field)
{
	char *out = *scratch;
	for (p++; p < end && (*p != '"' || (p + 1 < end && p[1] == '"')); p++) {
		p += *p == '"'; // a doubled one
		*(*scratch)++ = *p;
	}
	*ret_field = (struct field){out, (size_t)(*scratch - out)};
	return p < end ? skip_blanks(p + 1, end) : NULL;
}

static const char *take_plain(const char *p, const char *end, struct field *ret_field)
{
	const char *comma = memchr(p, ',', (size_t)(end - p)), *stop = comma ? comma : end;
	size_t len = (size_t)(stop - p);
	while (len && (p[len - 1] == ' ' || p[len - 1] == '\t'))
		len--;
	*ret_field = (struct field){p, len};
	return stop;
}

// Splits a line into fields; quoted ones are unescaped into `scratch`, which has the line's size.
// The number of fields; SPLIT_OPEN; -1: something behind a quote, or too many.
static int split(const struct field *line, char *scratch, struct field fields[static COLUMNS_MAX])
{
	const char *p = line->p, *end = p + line->len;
	for (int n = 0; n < COLUMNS_MAX;) {
		p = skip_blanks(p, end);
		p = p < end && *p == '"' ? take_quoted(p, end, &scratch, &fields[n])
					 : take_plain(p, end, &fields[n]);
		if (!p)
			return SPLIT_OPEN;
		n++;
		if (p == end)
			return n;
		if (*p++ != ',')
			return -1;
	}
	return -1;
}

// Takes the fields as column names; false when none of them holds a value.
static bool take_names(const struct field *fields, int n, struct columns *ret_columns)
{
	bool any = false;
	ret_columns->n = (unsigned)n;
	for (int i = 0; i < n; i++) {
		enum row_role role = row_role_of(fields[i].p, fields[i].len);
		ret_columns->roles[i] = (uint8_t)role;
		any |= role == ROW_VALUE || role == ROW_URL;
	}
	return any;
}

// A line as a head, which may be a comment; one word in a comment is just that.
static bool csv_head(const struct field *line, struct columns *ret_columns)
{
	char scratch[4096];
	struct field fields[COLUMNS_MAX], l = *line;
	while (l.len && (*l.p == '#' || *l.p == ' ' || *l.p == ';'))
		l.p++, l.len--;
	if (l.len == 0 || l.len > sizeof(scratch))
		return false;
	int n = split(&l, scratch, fields);
	return n > (l.p == line->p ? 0 : 1) && take_names(fields, n, ret_columns);
}

static bool find_head(struct text_lines *t, struct columns *ret_columns)
{
	struct field line;
	for (int i = 0; i < HEAD_LINES && text_next(t, &line); i++)
		if (csv_head(&line, ret_columns))
			return true;
	return false;
}

bool feed_csv_fits(const char *data, size_t len)
{
	struct text_lines t = {.p = data, .end = data + len};
	struct field line, fields[COLUMNS_MAX];
	char scratch[FEED_LINE_MAX];
	struct columns c;
	unsigned seen = 0;
	if (!find_head(&t, &c))
		return false;
	while (seen < LOOK_AT && text_next(&t, &line)) {
		if (text_is_comment(&line) || line.len > FEED_LINE_MAX)
			continue;
		if (split(&line, scratch, fields) == (int)c.n)
			return true;
		seen++;
	}
	return seen == 0;
}

// Splits a row, which goes on in the next lines when a quote is open at the end of its first one.
// When it never becomes a row, what follows the first line is left to be read as rows.
static int split_row(
	struct text_lines *t,
	const struct columns *c,
	struct field *line,
	char scratch[static FEED_LINE_MAX],
	struct field fields[static COLUMNS_MAX]
)
{
	struct text_lines ahead = *t;
	struct field whole = *line, more;
	int first = split(line, scratch, fields), n = first;
	for (int i = 1; n == SPLIT_OPEN && i < ROW_LINES && text_next(&ahead, &more); i++) {
		whole.len = (size_t)(more.p + more.len - whole.p);
		if (whole.len > FEED_LINE_MAX)
			break;
		n = split(&whole, scratch, fields);
	}
	if (n == first)
		return n;
	if (n != (int)c->n)
		return split(line, scratch, fields);
	*t = ahead;
	return n;
}

static void take_row(struct feed_parser *f, const struct columns *c, const struct field *fields)
{
	struct row r = {};
	for (unsigned i = 0; i < c->n; i++)
		if (c->roles[i] != ROW_IGNORED)
			row_set(&r, c->roles[i], fields[i].p, fields[i].len);
	row_take(f, &r);
}

void feed_csv_parse(struct feed_parser *f, const char *data, size_t len)
{
	static const char wrong[] = "a number of columns that is not the head's";
	struct text_lines t = {.p = data, .end = data + len};
	struct field line, fields[COLUMNS_MAX];
	char scratch[FEED_LINE_MAX];
	struct columns c;

	if (!find_head(&t, &c))
		return;
	while (!f->no_memory && text_next(&t, &line)) {
		f->line = t.number;
		if (text_is_comment(&line))
			continue;
		f->report->lines++;
		if (line.len > FEED_LINE_MAX) {
			row_reject(f, "a line that is too long", line.p, line.len);
			continue;
		}
		int n = split_row(&t, &c, &line, scratch, fields);
		if (n < 0)
			row_reject(
				f, "quotes that do not match, or too many columns", line.p, line.len
			);
		else if ((unsigned)n != c.n)
			row_reject(f, wrong, line.p, line.len);
		else
			take_row(f, &c, fields);
	}
}

static int split_tabs(const struct field *line, struct field fields[static COLUMNS_MAX])
{
	const char *p = line->p, *end = p + line->len;
	for (int n = 0; n < COLUMNS_MAX;) {
		const char *tab = memchr(p, '\t', (size_t)(end - p));
		fields[n++] = (struct field){p, (size_t)((tab ? tab : end) - p)};
		if (!tab)
			return n;
		p = tab + 1;
	}
	return -1;
}

static bool zeek_head(const struct field *line, struct columns *ret_columns)
{
	struct field fields[COLUMNS_MAX], l = *line;
	if (l.len < 8 || memcmp(l.p, "#fields\t", 8) != 0)
		return false;
	l.p += 8, l.len -= 8;
	int n = split_tabs(&l, fields);
	return n > 0 && take_names(fields, n, ret_columns);
}

bool feed_zeek_fits(const char *data, size_t len)
{
	struct text_lines t = {.p = data, .end = data + len, .is_table = true};
	struct field line;
	struct columns c;
	for (int i = 0; i < HEAD_LINES && text_next(&t, &line); i++)
		if (zeek_head(&line, &c))
			return true;
	return false;
}

void feed_zeek_parse(struct feed_parser *f, const char *data, size_t len)
{
	struct text_lines t = {.p = data, .end = data + len, .is_table = true};
	struct field line, fields[COLUMNS_MAX];
	struct columns c = {};
	while (!f->no_memory && text_next(&t, &line)) {
		f->line = t.number;
		if (zeek_head(&line, &c) || text_is_comment(&line))
			continue;
		f->report->lines++;
		int n = split_tabs(&line, fields);
		if (c.n == 0 || n < 0 || (unsigned)n != c.n || line.len > FEED_LINE_MAX)
			row_reject(
				f, "a number of columns that is not the head's", line.p, line.len
			);
		else
			take_row(f, &c, fields);
	}
}
