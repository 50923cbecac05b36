// SPDX-License-Identifier: Apache-2.0
#include "api/http/chart.h"
#include "lib/base/clock.h"
#include "tests/unit/cmocka.h"

#include <gd.h>
#include <stdlib.h>

#define N_BINS 24

static struct chart chart(struct traffic_bin *bins)
{
	for (int i = 0; i < N_BINS; i++) {
		for (int k = 0; k < TRAFFIC_N; k++)
			bins[i].bytes[k] = 0;
		bins[i].bytes[TRAFFIC_TOTAL] = (uint64_t)(i + 1) << 26;
		bins[i].bytes[TRAFFIC_TCP] = bins[i].bytes[TRAFFIC_TOTAL] / 2;
		bins[i].bytes[TRAFFIC_WEB] = bins[i].bytes[TRAFFIC_TOTAL] / 4;
	}
	return (struct chart
	){.title = "10.0.0.1 Download (Office)",
	  .w = 1540,
	  .h = 400,
	  .from_ns = 1774429200 * NS_PER_SEC,
	  .bin_ns = 300 * NS_PER_SEC,
	  .n_bins = N_BINS,
	  .bins = bins};
}

static gdImagePtr draw(const struct chart *c)
{
	char *png = NULL;
	size_t len;
	assert_int_equal(chart_draw(c, &png, &len), 0);
	gdImagePtr image = gdImageCreateFromPngPtr((int)len, png);
	free(png);
	assert_non_null(image);
	return image;
}

// How many points of the plot have a colour.
static unsigned points(gdImagePtr image, int rgb)
{
	unsigned n = 0;
	for (int y = 40; y < gdImageSY(image) - 54; y++) {
		for (int x = 61; x < gdImageSX(image) - 20; x++) {
			int p = gdImageGetPixel(image, x, y);
			n += gdImageRed(image, p) << 16 == (rgb & 0xff0000) &&
			     gdImageGreen(image, p) << 8 == (rgb & 0xff00) &&
			     gdImageBlue(image, p) == (rgb & 0xff);
		}
	}
	return n;
}

static void bars_lie_over_one_another(void **)
{
	struct traffic_bin bins[N_BINS];
	struct chart c = chart(bins);
	gdImagePtr image = draw(&c);
	assert_int_equal(gdImageSX(image), 1540);
	assert_int_equal(gdImageSY(image), 400);
	unsigned total = points(image, 0x2f85d9), tcp = points(image, 0x00dc00),
		 web = points(image, 0x0000f5);
	// of the whole, half is total alone, a quarter tcp alone, a quarter web
	assert_true(total > 1000 && tcp > 500 && web > 500);
	assert_in_range(total, tcp * 3 / 2, tcp * 5 / 2);
	assert_in_range(tcp, web / 2, web * 3 / 2);
	assert_int_equal(points(image, 0xfc5d00), 0);
	gdImageDestroy(image);
}

static void the_same_chart_is_the_same_bytes(void **)
{
	struct traffic_bin bins[N_BINS];
	struct chart c = chart(bins);
	char *png[2];
	size_t len[2];
	for (int i = 0; i < 2; i++)
		assert_int_equal(chart_draw(&c, &png[i], &len[i]), 0);
	assert_int_equal(len[0], len[1]);
	assert_memory_equal(png[0], png[1], len[0]);
	free(png[0]);
	free(png[1]);
}

static void nothing_is_an_empty_grid(void **)
{
	struct traffic_bin bins[N_BINS];
	struct chart c = chart(bins);
	memset(bins, 0, sizeof(bins));
	gdImagePtr image = draw(&c);
	assert_int_equal(points(image, 0x2f85d9), 0);
	assert_true(points(image, 0xd4d4d4) > 1000);
	gdImageDestroy(image);
}

static void any_size_and_any_value_can_be_drawn(void **)
{
	static const unsigned sizes[][2] = {
		{CHART_W_MIN, CHART_H_MIN},
		{CHART_W_MAX, CHART_H_MIN},
		{CHART_W_MIN, 1000},
		{1, 1}};
	struct traffic_bin bins[N_BINS];
	struct chart c = chart(bins);
	bins[3].bytes[TRAFFIC_TOTAL] = UINT64_MAX;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		c.w = sizes[i][0];
		c.h = sizes[i][1];
		gdImageDestroy(draw(&c));
	}
	c.n_bins = 1;
	gdImageDestroy(draw(&c));
}

static void megabits_are_of_two_to_the_twentieth(void **)
{
	struct traffic_bin bins[N_BINS];
	struct chart c = chart(bins);
	assert_true(chart_mbits(&c, 300 << 17) == 1.0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bars_lie_over_one_another),
		cmocka_unit_test(the_same_chart_is_the_same_bytes),
		cmocka_unit_test(nothing_is_an_empty_grid),
		cmocka_unit_test(any_size_and_any_value_can_be_drawn),
		cmocka_unit_test(megabits_are_of_two_to_the_twentieth),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
