// SPDX-License-Identifier: Apache-2.0

// GET /mbox/api/netflow/flows: the newest records of a window, numbers as text as the clients of
// this route expect. packets and bytes count both directions of a conversation; what of that went
// back is in rev_packets and rev_bytes. ICMP has source port 0 and type * 256 + code as its
// destination port, as NetFlow itself has it.
// Thread: worker.

#include "api/http/app.h"
#include "api/query/run.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define LIMIT_MAX 200
#define PROTO_ICMP 1
#define PROTO_ICMP6 58

static unsigned dst_port(const struct record *r)
{
	bool icmp = r->proto == PROTO_ICMP || r->proto == PROTO_ICMP6;
	return icmp && r->dport == 0 ? (unsigned)(r->icmp_type << 8 | r->icmp_code) : r->dport;
}

static unsigned src_port(const struct record *r)
{
	return r->proto == PROTO_ICMP || r->proto == PROTO_ICMP6 ? 0 : r->sport;
}

static json_t *flow_json(const struct record *r, const char *fqdn)
{
	char ts[32], src[ADDR_TEXT_LEN], dst[ADDR_TEXT_LEN], proto[16], flags[8], rev_flags[8];
	uint64_t lasted =
		r->end_ns > r->start_ns ? (r->end_ns - r->start_ns + 500000) / NS_PER_MSEC : 0;
	char duration[32];
	snprintf(
		duration,
		sizeof(duration),
		"%" PRIu64 ".%03u",
		lasted / 1000,
		(unsigned)(lasted % 1000)
	);
	return json_pack(
		"{s:s,s:s,s:s,s:s,s:o,s:o,s:s,s:s,s:o,s:o,s:s,s:s,s:o,s:o,s:s}",
		"ts",
		clock_format(r->start_ns, "%Y-%m-%d %H:%M:%S", ts, sizeof(ts)),
		"src_ip",
		addr_format(&r->src, src),
		"dst_ip",
		addr_format(&r->dst, dst),
		"dst_fqdn",
		fqdn,
		"src_port",
		json_sprintf("%u", src_port(r)),
		"dst_port",
		json_sprintf("%u", dst_port(r)),
		"proto",
		record_format_proto(r->proto, proto),
		"flags",
		record_format_flags(r->tcp_flags, flags),
		"packets",
		json_sprintf("%" PRIu64, r->packets + r->rev_packets),
		"bytes",
		json_sprintf("%" PRIu64, r->bytes + r->rev_bytes),
		"duration",
		duration,
		"verdict",
		r->verdict == VERDICT_DENY ? "Deny" : "Allow",
		"rev_packets",
		json_sprintf("%" PRIu64, r->rev_packets),
		"rev_bytes",
		json_sprintf("%" PRIu64, r->rev_bytes),
		"rev_flags",
		record_format_flags(r->rev_tcp_flags, rev_flags)
	);
}

static json_t *flows_json(struct call *c, const struct newest *t)
{
	struct addr *addrs = calloc(t->n ? t->n : 1, sizeof(*addrs));
	char(*names)[CACHE_NAME_LEN] = calloc(t->n ? t->n : 1, sizeof(*names));
	json_t *list = addrs && names ? json_array() : NULL;

	for (size_t i = 0; list && i < t->n; i++)
		addrs[i] = t->heap[i].dst;
	if (list)
		resolver_lookup(
			c->app->resolver,
			addrs,
			t->n,
			(uint64_t)c->app->config->dns_timeout_ns,
			names
		);
	for (size_t i = 0; list && i < t->n; i++)
		json_array_append_new(list, flow_json(&t->heap[i], names[i]));
	free(addrs);
	free(names);
	return list;
}

static void answer(struct call *c, int entity, const struct window *w, unsigned limit)
{
	struct newest t;
	int ret = newest_init(&t, limit);
	if (ret == 0 && entity >= 0) {
		struct run run = {c->view, (uint16_t)entity, w, &c->request->stop};
		ret = run_newest(&run, &t);
	}
	if (ret < 0) {
		call_failed(c, ret);
	} else {
		newest_sort(&t);
		json_t *flows = flows_json(c, &t);
		response_ok(
			c->response,
			flows ? json_pack("{s:o,s:I}", "flows", flows, "total", (json_int_t)t.n)
			      : NULL
		);
	}
	newest_fini(&t);
}

void flows_get(struct call *c)
{
	struct window w;
	unsigned limit;
	char fault[QUERY_ERROR_LEN];

	if (window_parse(&c->query, &w, fault) < 0 ||
	    query_limit(&c->query, LIMIT_MAX, &limit, fault) < 0) {
		response_error(c->response, 400, "%s", fault);
		return;
	}
	int entity = call_entity(c);
	if (entity != -EPERM)
		answer(c, entity, &w, limit);
}
