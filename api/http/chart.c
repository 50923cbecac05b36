// SPDX-License-Identifier: Apache-2.0
#include "api/http/chart.h"

#include "lib/base/clock.h"

#include <errno.h>
#include <gd.h>
#include <gdfontg.h>
#include <gdfonts.h>
#include <stdio.h>
#include <stdlib.h>

#define LEFT 60
#define TOP 40
#define RIGHT 20
#define LABELS 30 // below the axis
#define LEGEND_ROW 22
#define LEGEND_STEP 100
#define SWATCH_W 20
#define SWATCH_H 15
#define GRID_LINES 10

struct drawing {
	const struct chart *c;
	gdImagePtr image;
	int ink, grid, mark, colours[TRAFFIC_N];
	int left, right, top, bottom; // of the plot
	double max, scale;	      // Mbit/s: the highest value, and at the plot's top
};

static const uint32_t colours[TRAFFIC_N] = {
	[TRAFFIC_TOTAL] = 0x2f85d9,
	[TRAFFIC_ICMP] = 0xf00000,
	[TRAFFIC_UDP] = 0x8c0000,
	[TRAFFIC_TCP] = 0x00dc00,
	[TRAFFIC_MAIL] = 0xaf109f,
	[TRAFFIC_DNS] = 0xfc5d00,
	[TRAFFIC_VPN] = 0xf0f000,
	[TRAFFIC_FTP] = 0xaeaeae,
	[TRAFFIC_WEB] = 0x0000f5,
	[TRAFFIC_PROXY] = 0xa09cfe,
	[TRAFFIC_QUIC] = 0x44784a,
	[TRAFFIC_SIP] = 0x363116,
};

double chart_mbits(const struct chart *c, uint64_t bytes)
{
	return (double)bytes * 8 / ((double)c->bin_ns / (double)NS_PER_SEC) / (1 << 20);
}

static int colour(gdImagePtr image, uint32_t rgb)
{
	return gdImageColorAllocate(
		image, (int)(rgb >> 16 & 0xff), (int)(rgb >> 8 & 0xff), (int)(rgb & 0xff)
	);
}

static void text(struct drawing *d, gdFontPtr font, int x, int y, const char *words)
{
	unsigned char copy[128];
	snprintf((char *)copy, sizeof(copy), "%s", words);
	gdImageString(d->image, font, x, y, copy, d->ink);
}

static void text_right(struct drawing *d, int x, int y, const char *words)
{
	gdFontPtr font = gdFontGetSmall();
	text(d, font, x - (int)strlen(words) * font->w, y, words);
}

static int legend_per_row(const struct chart *c)
{
	int n = ((int)c->w - LEFT - RIGHT) / LEGEND_STEP;
	return n < 1 ? 1 : n;
}

static void prepare(struct drawing *d, const struct chart *c)
{
	int rows = (TRAFFIC_N + legend_per_row(c) - 1) / legend_per_row(c);
	colour(d->image, 0xffffff); // the first one is the background
	d->ink = colour(d->image, 0x555555);
	d->grid = colour(d->image, 0xd4d4d4);
	d->mark = colour(d->image, 0xcc3333);
	for (int k = 0; k < TRAFFIC_N; k++)
		d->colours[k] = colour(d->image, colours[k]);
	d->left = LEFT;
	d->right = (int)c->w - RIGHT;
	d->top = TOP;
	d->bottom = (int)c->h - LABELS - rows * LEGEND_ROW;
	if (d->bottom < d->top + 20)
		d->bottom = d->top + 20;
	for (uint32_t i = 0; i < c->n_bins; i++) {
		double v = chart_mbits(c, c->bins[i].bytes[TRAFFIC_TOTAL]);
		d->max = v > d->max ? v : d->max;
	}
	d->scale = d->max > 0 ? d->max * 1.1 : 1;
}

static int y_of(const struct drawing *d, double mbits)
{
	return d->bottom - (int)(mbits / d->scale * (d->bottom - d->top) + 0.5);
}

static int x_of(const struct drawing *d, uint32_t bin)
{
	return d->left + (int)((int64_t)(d->right - d->left) * bin / d->c->n_bins);
}

static void draw_grid(struct drawing *d)
{
	double step = d->scale / GRID_LINES;
	char label[32];
	if (d->scale > 2)
		step = d->scale <= 20 ? 1 : d->scale <= 100 ? 5 : d->scale < 200 ? 10 : step;
	for (int i = 0; i * step <= d->scale && i <= 2 * GRID_LINES; i++) {
		int y = y_of(d, i * step);
		gdImageLine(d->image, d->left, y, d->right, y, d->grid);
		snprintf(label, sizeof(label), d->scale > 2 ? "%.0f" : "%.3g", i * step);
		text_right(d, d->left - 6, y - 6, label);
	}
	text(d, gdFontGetSmall(), 6, TOP - 20, "Mbit/s");
}

// The bars of one time: the tallest first, so that none hides another.
static void draw_bin(struct drawing *d, uint32_t bin)
{
	const struct traffic_bin *b = &d->c->bins[bin];
	int x = x_of(d, bin), end = x_of(d, bin + 1) - 1;
	int order[TRAFFIC_N];
	for (int k = 0; k < TRAFFIC_N; k++) {
		int at = k;
		for (; at > 0 && b->bytes[order[at - 1]] < b->bytes[k]; at--)
			order[at] = order[at - 1];
		order[at] = k;
	}
	for (int k = 0; k < TRAFFIC_N && b->bytes[order[k]]; k++)
		gdImageFilledRectangle(
			d->image,
			x,
			y_of(d, chart_mbits(d->c, b->bytes[order[k]])),
			end < x ? x : end,
			d->bottom,
			d->colours[order[k]]
		);
}

static void draw_times(struct drawing *d)
{
	uint64_t span = d->c->bin_ns * d->c->n_bins;
	bool days = span > 25 * NS_PER_HOUR;
	int width = days ? 90 : 50, n = (d->right - d->left) / width;
	n = n > (d->c->n_bins <= 288 ? 24 : 12) ? (d->c->n_bins <= 288 ? 24 : 12) : n;
	for (int i = 0; i < n; i++) {
		char label[32];
		uint64_t at = d->c->from_ns + span / (uint64_t)n * (uint64_t)i;
		int x = d->left + (d->right - d->left) * i / n;
		gdImageLine(d->image, x, d->bottom, x, d->bottom + 4, d->ink);
		clock_format(at, days ? "%Y-%m-%d" : "%H:%M", label, sizeof(label));
		text(d, gdFontGetSmall(), x, d->bottom + 6, label);
	}
}

static void draw_legend(struct drawing *d)
{
	int per_row = legend_per_row(d->c);
	for (int k = 0; k < TRAFFIC_N; k++) {
		int x = d->left + k % per_row * LEGEND_STEP;
		int y = d->bottom + LABELS + k / per_row * LEGEND_ROW;
		gdImageFilledRectangle(
			d->image, x, y, x + SWATCH_W - 1, y + SWATCH_H - 1, d->colours[k]
		);
		text(d, gdFontGetSmall(), x + SWATCH_W + 5, y + 1, traffic_names[k]);
	}
}

// The highest value, as a line across and in words.
static void draw_max(struct drawing *d)
{
	char words[48];
	int style[] = {d->mark, d->mark, d->mark, gdTransparent, gdTransparent, gdTransparent};
	snprintf(words, sizeof(words), "Max: %.2f Mbit/s", d->max);
	text_right(d, d->right, d->top - 16, words);
	if (d->max <= 0)
		return;
	gdImageSetStyle(d->image, style, sizeof(style) / sizeof(style[0]));
	gdImageLine(d->image, d->left, y_of(d, d->max), d->right, y_of(d, d->max), gdStyled);
}

int chart_draw(const struct chart *c, char **ret_png, size_t *ret_len)
{
	struct drawing d = {.c = c, .image = gdImageCreate((int)c->w, (int)c->h)};
	int len = 0;
	if (!d.image)
		return -ENOMEM;
	prepare(&d, c);
	draw_grid(&d);
	for (uint32_t i = 0; i < c->n_bins; i++)
		draw_bin(&d, i);
	gdImageLine(d.image, d.left, d.top, d.left, d.bottom, d.ink);
	gdImageLine(d.image, d.left, d.bottom, d.right, d.bottom, d.ink);
	text(&d, gdFontGetGiant(), d.left, 10, c->title);
	draw_times(&d);
	draw_legend(&d);
	draw_max(&d);
	void *png = gdImagePngPtr(d.image, &len);
	char *copy = png ? malloc((size_t)len) : NULL;
	if (copy)
		memcpy(copy, png, (size_t)len);
	if (png)
		gdFree(png);
	gdImageDestroy(d.image);
	*ret_png = copy;
	*ret_len = (size_t)len;
	return copy ? 0 : -ENOMEM;
}
