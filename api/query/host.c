// SPDX-License-Identifier: Apache-2.0
#include "api/query/host.h"

static struct rollup_host *bin_at(const struct host_sums *s, uint64_t start_ns)
{
	uint64_t bin = (start_ns - s->from_ns) / s->bin_ns;
	return start_ns >= s->from_ns && bin < s->n_bins ? &s->bins[bin] : NULL;
}

static void add_sent(struct rollup_host *h, uint64_t packets, uint64_t bytes)
{
	h->out_flows++;
	h->out_packets += packets;
	h->out_bytes += bytes;
}

static void add_received(struct rollup_host *h, uint64_t packets, uint64_t bytes)
{
	h->in_flows++;
	h->in_packets += packets;
	h->in_bytes += bytes;
}

// As the tables count (collector/store/rollup.c): a conversation that was answered is a flow each
// way.
static void add_row(struct rollup_host *h, const struct addr *host, const struct record *r)
{
	bool is_src = addr_eq(&r->src, host), is_dst = addr_eq(&r->dst, host);
	bool answered = r->rev_packets > 0;
	if (is_src) {
		add_sent(h, r->packets, r->bytes);
		if (answered)
			add_received(h, r->rev_packets, r->rev_bytes);
	}
	if (is_dst) {
		add_received(h, r->packets, r->bytes);
		if (answered)
			add_sent(h, r->rev_packets, r->rev_bytes);
	}
	h->denied += r->verdict == VERDICT_DENY;
}

static int take(void *ctx, const struct record_batch *b, const uint32_t *rows, uint32_t n)
{
	struct host_sums *s = ctx;
	for (uint32_t k = 0; k < n; k++) {
		struct record r;
		record_batch_get(b, rows[k], &r);
		struct rollup_host *bin = bin_at(s, r.start_ns);
		if (bin)
			add_row(bin, s->host, &r);
	}
	return 0;
}

static void add_table(struct rollup_host *to, const struct rollup_host *h)
{
	to->out_flows += h->out_flows;
	to->out_packets += h->out_packets;
	to->out_bytes += h->out_bytes;
	to->in_flows += h->in_flows;
	to->in_packets += h->in_packets;
	to->in_bytes += h->in_bytes;
	to->denied += h->denied;
}

struct filter *host_filter(const struct addr *host)
{
	char text[ADDR_TEXT_LEN + 4] = "ip ";
	struct filter *f = NULL;
	struct filter_error e;
	addr_format(host, text + 3);
	return filter_parse(text, strlen(text), NULL, &f, &e) == 0 ? f : NULL;
}

// The rows of a span that are not in the hour's table: all of them when the hour is cut.
static int
scan(struct host_sums *s,
     const struct run *run,
     const struct filter *f,
     const struct window *w,
     bool all)
{
	struct walk_counts counts;
	struct walk walk = {
		.run = *run,
		.filter = f,
		.fields = RECORD_BIT(src) | RECORD_BIT(dst) | RECORD_BIT(packets) |
			  RECORD_BIT(bytes) | RECORD_BIT(rev_packets) | RECORD_BIT(rev_bytes) |
			  RECORD_BIT(verdict),
		.journal_only = !all,
		.rows = take,
		.ctx = s,
	};
	walk.run.window = w;
	return walk_rows(&walk, &counts);
}

static int add_hour(
	struct host_sums *s,
	const struct run *run,
	const struct filter *f,
	const struct store_hour *h
)
{
	uint64_t first = store_hour_start(h->hour), last = first + NS_PER_HOUR - 1;
	bool whole = first >= run->window->from_ns && last <= run->window->to_ns;
	struct rollup_host *bin = bin_at(s, first), host;
	if (whole && h->sealed_rows && bin) {
		int ret = store_view_host(run->view, run->entity, h->hour, s->host, &host);
		if (ret < 0)
			return ret;
		if (ret)
			add_table(bin, &host);
	}
	if (whole && !h->journal_rows)
		return 0;
	struct window part = {
		.from_ns = first > run->window->from_ns ? first : run->window->from_ns,
		.to_ns = last < run->window->to_ns ? last : run->window->to_ns,
	};
	return scan(s, run, f, &part, !whole);
}

int host_run(struct host_sums *s, const struct run *run)
{
	uint32_t last = store_hour_of(run->window->to_ns);
	struct filter *f = host_filter(s->host);
	struct store_hour h;
	int ret = f ? 0 : -ENOMEM;
	for (uint32_t next = store_hour_of(run->window->from_ns); ret == 0 && next <= last;
	     next = h.hour + 1) {
		ret = query_stopped(run->stop);
		if (ret == 0)
			ret = store_view_hour(run->view, run->entity, next, &h);
		if (ret <= 0 || h.hour > last)
			break;
		ret = add_hour(s, run, f, &h);
	}
	filter_free(f);
	return ret < 0 ? ret : 0;
}
