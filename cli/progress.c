// SPDX-License-Identifier: Apache-2.0
#include "cli/progress.h"

#include "lib/base/clock.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define SILENT_NS NS_PER_SEC // shorter work shows nothing
#define REDRAW_NS (100 * NS_PER_MSEC)
#define BAR_MAX 30
#define BAR_MIN 8
#define COLUMNS_DEFAULT 80

static volatile sig_atomic_t stopped;

void progress_begin(struct progress *p, const char *verb, const char *unit, uint64_t total)
{
	*p = (struct progress){
		.verb = verb,
		.unit = unit,
		.total = total,
		.begin_ns = clock_mono_ns(),
		.is_terminal = isatty(STDERR_FILENO),
	};
}

const char *progress_count(uint64_t n, char text[static 16])
{
	static const char units[] = {'k', 'M', 'G', 'T'};
	double v = (double)n;
	int unit = -1;
	while (v >= 999.5 && unit < 3) {
		v /= 1000;
		unit++;
	}
	if (unit < 0)
		snprintf(text, 16, "%u", (unsigned)n);
	else
		snprintf(text, 16, v < 99.95 ? "%.1f %c" : "%.0f %c", v, units[unit]);
	return text;
}

// "0:09", "12:34", "1:02:03"
static void format_span(uint64_t sec, char text[static 24])
{
	unsigned h = (unsigned)(sec / 3600), m = (unsigned)(sec / 60 % 60),
		 s = (unsigned)(sec % 60);
	if (h)
		snprintf(text, 24, "%u:%02u:%02u", h, m, s);
	else
		snprintf(text, 24, "%u:%02u", m, s);
}

// What stands left of the bar and right of it.
struct parts {
	char left[96], right[96];
	double share; // 0..1; below 0: not known
};

static void
format_parts(const struct progress *p, const struct progress_state *at, struct parts *ret_parts)
{
	char count[16], rate[16], eta[24] = "";
	double sec = (double)at->elapsed_ns / NS_PER_SEC;
	double per_sec = sec > 0 ? (double)at->items / sec : 0;
	struct parts *t = ret_parts;

	t->share = p->total ? (double)at->done / (double)p->total : -1;
	t->share = t->share > 1 ? 1 : t->share;
	if (t->share > 0)
		format_span((uint64_t)(sec / t->share - sec + 0.5), eta);
	if (t->share >= 0)
		snprintf(t->left, sizeof(t->left), "%s %3.0f %%", p->verb, t->share * 100);
	else
		snprintf(t->left, sizeof(t->left), "%s", p->verb);
	snprintf(
		t->right,
		sizeof(t->right),
		"%s %s, %s/s%s%s",
		progress_count(at->items, count),
		p->unit,
		progress_count((uint64_t)per_sec, rate),
		*eta ? ", ETA " : "",
		eta
	);
}

const char *progress_format(
	const struct progress *p,
	const struct progress_state *at,
	unsigned columns,
	char line[static PROGRESS_LINE_LEN]
)
{
	struct parts t;
	char bar[BAR_MAX + 1] = "";
	format_parts(p, at, &t);
	// the last column stays free, so that no terminal wraps the line
	int room = (int)columns - 1 - (int)strlen(t.left) - (int)strlen(t.right) - 4;
	int width = room > BAR_MAX ? BAR_MAX : room;
	if (t.share < 0 || width < BAR_MIN) {
		snprintf(line, PROGRESS_LINE_LEN, "%s %s", t.left, t.right);
	} else {
		memset(bar, '.', (size_t)width);
		memset(bar, '#', (size_t)(t.share * width));
		snprintf(line, PROGRESS_LINE_LEN, "%s [%s] %s", t.left, bar, t.right);
	}
	if (columns && columns <= PROGRESS_LINE_LEN)
		line[columns - 1] = '\0';
	return line;
}

void progress_update(struct progress *p, uint64_t done, uint64_t items)
{
	char line[PROGRESS_LINE_LEN];
	struct winsize size = {};
	if (!p->is_terminal)
		return;
	uint64_t now_ns = clock_mono_ns();
	struct progress_state at = {now_ns - p->begin_ns, done, items};
	if (at.elapsed_ns < SILENT_NS || now_ns - p->drawn_ns < REDRAW_NS)
		return;
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		size.ws_col = COLUMNS_DEFAULT;
	progress_format(p, &at, size.ws_col, line);
	fprintf(stderr, "\r%s\033[K", line);
	fflush(stderr);
	p->drawn_ns = now_ns;
	p->is_drawn = true;
}

void progress_end(struct progress *p)
{
	if (!p->is_drawn)
		return;
	fputs("\r\033[K", stderr);
	fflush(stderr);
	p->is_drawn = false;
}

static void on_signal(int)
{
	stopped = 1;
}

void progress_catch(void)
{
	// without SA_RESTART: a send(2) that waits for the peer ends with EINTR
	struct sigaction action = {.sa_handler = on_signal};
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
}

bool progress_stopped(void)
{
	return stopped;
}
