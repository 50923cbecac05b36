// SPDX-License-Identifier: Apache-2.0
#include "lib/base/openmetrics.h"

#include <string.h>

bool openmetrics_is_wanted(const char *accept)
{
	return accept && strstr(accept, "application/openmetrics-text");
}

const char *openmetrics_content_type(bool open)
{
	return open ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
		    : "text/plain; version=0.0.4; charset=utf-8";
}

void openmetrics_head(FILE *out, bool open, const char *name, const char *type, const char *help)
{
	const char *end = strcmp(type, "counter") == 0 && !open ? "_total" : "";
	fprintf(out, "# TYPE %s%s %s\n# HELP %s%s %s\n", name, end, type, name, end, help);
}

void openmetrics_end(FILE *out, bool open)
{
	if (open)
		fputs("# EOF\n", out);
}
