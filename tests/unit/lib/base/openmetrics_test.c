// SPDX-License-Identifier: Apache-2.0
#include "lib/base/openmetrics.h"
#include "tests/unit/cmocka.h"

#include <stdlib.h>
#include <string.h>

static void assert_head(bool open, const char *type, const char *want)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	assert_non_null(out);
	openmetrics_head(out, open, "weir_x", type, "Help.");
	openmetrics_end(out, open);
	assert_int_equal(fclose(out), 0);
	assert_string_equal(text, want);
	free(text);
}

static void a_counters_family_has_no_total_in_openmetrics(void **)
{
	assert_head(true, "counter", "# TYPE weir_x counter\n# HELP weir_x Help.\n# EOF\n");
	assert_head(false, "counter", "# TYPE weir_x_total counter\n# HELP weir_x_total Help.\n");
	assert_head(true, "gauge", "# TYPE weir_x gauge\n# HELP weir_x Help.\n# EOF\n");
	assert_head(false, "gauge", "# TYPE weir_x gauge\n# HELP weir_x Help.\n");
}

static void the_older_format_is_for_who_does_not_ask(void **)
{
	assert_false(openmetrics_is_wanted(NULL));
	assert_false(openmetrics_is_wanted("text/plain"));
	assert_true(openmetrics_is_wanted("application/openmetrics-text;version=1.0.0,*/*;q=0.1"));
	assert_non_null(strstr(openmetrics_content_type(true), "version=1.0.0"));
	assert_non_null(strstr(openmetrics_content_type(false), "version=0.0.4"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_counters_family_has_no_total_in_openmetrics),
		cmocka_unit_test(the_older_format_is_for_who_does_not_ask),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
