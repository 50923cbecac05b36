// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COLUMNS_MAX 32

int output_format_parse(const char *text, enum output_format *ret_format)
{
	static const char *const names[] = {"table", "json", "csv"};
	for (int i = 0; i < 3; i++)
		if (strcmp(text, names[i]) == 0) {
			*ret_format = (enum output_format)i;
			return 0;
		}
	return -EINVAL;
}

// A member as text; what is not a string is shown as JSON. The caller frees it.
static char *cell(json_t *row, const char *column)
{
	json_t *v = json_object_get(row, column);
	if (!v || json_is_null(v))
		return strdup("");
	if (json_is_string(v))
		return strdup(json_string_value(v));
	return json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
}

static void print_csv_cell(const char *text)
{
	if (!text[strcspn(text, ",\"\r\n")]) {
		fputs(text, stdout);
		return;
	}
	putchar('"');
	for (; *text; text++) {
		if (*text == '"')
			putchar('"');
		putchar(*text);
	}
	putchar('"');
}

static void print_csv(json_t *rows, const char *const *columns)
{
	size_t i;
	json_t *row;
	for (int c = 0; columns[c]; c++)
		printf("%s%s", c ? "," : "", columns[c]);
	fputs("\r\n", stdout);
	json_array_foreach(rows, i, row)
	{
		for (int c = 0; columns[c]; c++) {
			char *text = cell(row, columns[c]);
			if (c)
				putchar(',');
			print_csv_cell(text ? text : "");
			free(text);
		}
		fputs("\r\n", stdout);
	}
}

static void measure(json_t *rows, const char *const *columns, int widths[COLUMNS_MAX])
{
	size_t i;
	json_t *row;
	for (int c = 0; columns[c] && c < COLUMNS_MAX; c++) {
		widths[c] = (int)strlen(columns[c]);
		json_array_foreach(rows, i, row)
		{
			char *text = cell(row, columns[c]);
			int n = text ? (int)strlen(text) : 0;
			widths[c] = n > widths[c] ? n : widths[c];
			free(text);
		}
	}
}

static void print_table(json_t *rows, const char *const *columns)
{
	int widths[COLUMNS_MAX] = {};
	size_t i;
	json_t *row;
	measure(rows, columns, widths);
	for (int c = 0; columns[c]; c++)
		printf("%-*s", columns[c + 1] ? widths[c] + 2 : 0, columns[c]);
	putchar('\n');
	json_array_foreach(rows, i, row)
	{
		for (int c = 0; columns[c]; c++) {
			char *text = cell(row, columns[c]);
			bool number = json_is_number(json_object_get(row, columns[c]));
			int width = columns[c + 1] || number ? widths[c] : 0;
			printf(number ? "%*s" : "%-*s", width, text ? text : "");
			fputs(columns[c + 1] ? "  " : "\n", stdout);
			free(text);
		}
	}
}

void output_rows(json_t *rows, const char *const *columns, enum output_format format)
{
	json_t *list = json_is_array(rows) ? json_incref(rows) : json_pack("[O]", rows);
	if (format == OUTPUT_JSON) {
		json_dumpf(rows, stdout, JSON_INDENT(2));
		putchar('\n');
	} else if (format == OUTPUT_CSV) {
		print_csv(list, columns);
	} else {
		print_table(list, columns);
	}
	json_decref(list);
}
