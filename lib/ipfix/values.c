// SPDX-License-Identifier: Apache-2.0
#include "lib/ipfix/values.h"

#include "lib/ipfix/wire.h"

#define NS_PER_DAY (24 * NS_PER_HOUR)
#define HAS(t, a) ((t)->aux & AUX_BIT(a))

// What relative times are relative to.
struct clock_base {
	uint64_t export_ns;
	uint32_t uptime_ms; // at export_ns
	bool has_uptime;
};

static uint64_t times(uint64_t v, uint64_t unit)
{
	return v > UINT64_MAX / unit ? UINT64_MAX : v * unit;
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

// Some exporters (VPP) put nanoseconds since 1970 where NTP's format belongs: taken so when only
// that lies near the export time.
static uint64_t time_of_ntp(uint64_t wire, uint64_t plain_unit, uint64_t export_ns)
{
	uint64_t ntp = ipfix_time_of_ntp(wire), plain = times(wire, plain_unit);
	if (distance(ntp, export_ns) > NS_PER_DAY && distance(plain, export_ns) < NS_PER_DAY)
		return plain;
	return ntp;
}

// Microseconds leave the fraction's low 11 bits without meaning (RFC 7011 §6.1.9); exporters round
// down, so the nearest microsecond is the one they had.
static uint64_t time_of_ntp_us(uint64_t wire, uint64_t export_ns)
{
	uint64_t ns = time_of_ntp(wire & ~0x7ffull, NS_PER_USEC, export_ns);
	return (ns + NS_PER_USEC / 2) / NS_PER_USEC * NS_PER_USEC;
}

// sysUpTime wraps after 49.7 days: the stamp is the one nearest to the message's own.
static uint64_t time_of_uptime(uint32_t ms, const struct clock_base *c)
{
	int64_t delta = (int32_t)(ms - c->uptime_ms);
	int64_t at = (int64_t)(c->export_ns / NS_PER_MSEC) + delta;
	return at > 0 ? (uint64_t)at * NS_PER_MSEC : 0;
}

static uint64_t time_of_delta(uint64_t us, const struct clock_base *c)
{
	uint64_t back = times(us, NS_PER_USEC);
	return back < c->export_ns ? c->export_ns - back : 0;
}

// The most precise time a row gives, of the encodings from `first` on; 0 when it gives none.
static uint64_t pick_time(
	const struct ipfix_values *v,
	const struct ipfix_template *t,
	enum ipfix_aux first,
	const struct clock_base *c
)
{
	uint32_t left = t->aux >> first & (AUX_BIT(AUX_N_TIMES) - 1);
	for (; left; left &= left - 1) {
		int kind = __builtin_ctz(left);
		uint64_t x = v->aux[(int)first + kind];
		if (kind == AUX_START_UPTIME && c->has_uptime)
			return time_of_uptime((uint32_t)x, c);
		if (kind == AUX_START_DELTA)
			return time_of_delta(x, c);
		if (x == 0 || kind == AUX_START_UPTIME)
			continue;
		switch (kind) {
		case AUX_START_NS:
			return time_of_ntp(x, 1, c->export_ns);
		case AUX_START_US:
			return time_of_ntp_us(x, c->export_ns);
		case AUX_START_MS:
			return times(x, NS_PER_MSEC);
		default:
			return times(x, NS_PER_SEC);
		}
	}
	return 0;
}

static uint64_t
event_time(const struct ipfix_values *v, const struct ipfix_template *t, const struct clock_base *c)
{
	if (HAS(t, AUX_EVENT_NS) && v->aux[AUX_EVENT_NS])
		return time_of_ntp(v->aux[AUX_EVENT_NS], 1, c->export_ns);
	if (HAS(t, AUX_EVENT_US) && v->aux[AUX_EVENT_US])
		return time_of_ntp_us(v->aux[AUX_EVENT_US], c->export_ns);
	if (HAS(t, AUX_EVENT_MS) && v->aux[AUX_EVENT_MS])
		return times(v->aux[AUX_EVENT_MS], NS_PER_MSEC);
	return HAS(t, AUX_EVENT_S) ? times(v->aux[AUX_EVENT_S], NS_PER_SEC) : 0;
}

static uint64_t duration(const struct ipfix_values *v, const struct ipfix_template *t)
{
	if (HAS(t, AUX_DURATION_US))
		return times(v->aux[AUX_DURATION_US], NS_PER_USEC);
	if (HAS(t, AUX_DURATION_MS))
		return times(v->aux[AUX_DURATION_MS], NS_PER_MSEC);
	// Uptimes that nothing tells the start of still say how far they are apart.
	if (HAS(t, AUX_START_UPTIME) && HAS(t, AUX_END_UPTIME)) {
		uint32_t a = (uint32_t)v->aux[AUX_START_UPTIME],
			 b = (uint32_t)v->aux[AUX_END_UPTIME];
		return (int32_t)(b - a) > 0 ? (b - a) * NS_PER_MSEC : 0;
	}
	return 0;
}

static struct clock_base clock_of(
	const struct ipfix_values *v,
	const struct ipfix_template *t,
	const struct ipfix_message *m,
	const struct ipfix_domain *d
)
{
	struct clock_base c = {.export_ns = m->export_ns};
	uint64_t init_ms = HAS(t, AUX_SYSTEM_INIT) ? v->aux[AUX_SYSTEM_INIT] : d->system_init_ms;
	if (m->version == NETFLOW9_VERSION) {
		c.has_uptime = true;
		c.uptime_ms = m->uptime_ms;
	} else if (init_ms) {
		c.has_uptime = true;
		c.uptime_ms = (uint32_t)(m->export_ns / NS_PER_MSEC - init_ms);
	}
	return c;
}

// Start and end when the row did not give both.
static void guess_times(
	struct ipfix_values *v,
	const struct ipfix_template *t,
	const struct clock_base *c,
	struct ipfix_domain *d
)
{
	struct record *r = &v->r;
	uint64_t span = duration(v, t);
	if (!r->start_ns && !r->end_ns) {
		r->end_ns = event_time(v, t, c);
		if (!r->end_ns) {
			d->counts.time_missing += !HAS(t, AUX_START_UPTIME);
			r->end_ns = c->export_ns;
		}
	}
	if (!r->start_ns)
		r->start_ns = r->end_ns > span ? r->end_ns - span : r->end_ns;
	else if (!r->end_ns)
		r->end_ns = r->start_ns + span;
}

static void finish_times(
	struct ipfix_values *v,
	const struct ipfix_template *t,
	const struct ipfix_message *m,
	struct ipfix_domain *d
)
{
	struct record *r = &v->r;
	struct clock_base c = clock_of(v, t, m, d);
	r->start_ns = pick_time(v, t, AUX_START_NS, &c);
	r->end_ns = pick_time(v, t, AUX_END_NS, &c);
	if (!r->start_ns || !r->end_ns)
		guess_times(v, t, &c, d);
	r->set |= RECORD_BIT(start_ns) | RECORD_BIT(end_ns);
}

// NetFlow v9's OUT counters are the way back when IN counters stand beside them, as nfdump and
// nProbe have it; IPFIX's "post" counters are the same packets again, behind a middlebox.
static void
finish_out(struct ipfix_values *v, const struct ipfix_template *t, const struct ipfix_message *m)
{
	struct record *r = &v->r;
	if (!(t->set & (RECORD_BIT(bytes) | RECORD_BIT(packets)))) {
		RECORD_SET(r, bytes, HAS(t, AUX_OUT_BYTES) ? v->aux[AUX_OUT_BYTES] : 0);
		RECORD_SET(r, packets, HAS(t, AUX_OUT_PACKETS) ? v->aux[AUX_OUT_PACKETS] : 0);
		return;
	}
	if (m->version != NETFLOW9_VERSION)
		return;
	if (HAS(t, AUX_OUT_BYTES))
		RECORD_SET(r, rev_bytes, v->aux[AUX_OUT_BYTES]);
	if (HAS(t, AUX_OUT_PACKETS))
		RECORD_SET(r, rev_packets, v->aux[AUX_OUT_PACKETS]);
}

// Exporters without an ICMP element put type and code into the destination port; those with one
// send it for every protocol.
static void finish_icmp(struct record *r)
{
	const uint64_t bits = RECORD_BIT(icmp_type) | RECORD_BIT(icmp_code);
	if (r->proto == IPFIX_PROTO_ICMP || r->proto == IPFIX_PROTO_ICMP6) {
		if (r->set & bits || !r->dport)
			return;
		RECORD_SET(r, icmp_type, (uint8_t)(r->dport >> 8));
		RECORD_SET(r, icmp_code, (uint8_t)r->dport);
	} else if (r->set & bits) {
		r->icmp_type = r->icmp_code = 0;
		r->set &= ~bits;
	}
}

// A zero address beside one of IPv4 is 0.0.0.0, not ::.
static void finish_families(struct record *r)
{
	static const struct addr none;
	static const uint8_t v4_none[4];
	if (addr_eq(&r->src, &none) && addr_is_v4(&r->dst))
		r->src = addr_of_v4(v4_none);
	if (addr_eq(&r->dst, &none) && addr_is_v4(&r->src))
		r->dst = addr_of_v4(v4_none);
}

// 1 in how many packets a row says, 0 when it does not (RFC 5476 §6.5, RFC 5477 §8.2).
static uint32_t rate_of(const struct ipfix_values *v, const struct ipfix_template *t)
{
	uint64_t of = 0, take = 0;
	if (t->set & RECORD_BIT(sampling) && v->r.sampling)
		return v->r.sampling;
	if (HAS(t, AUX_SAMPLED)) {
		take = v->aux[AUX_SAMPLED];
		of = HAS(t, AUX_SPACED) ? take + v->aux[AUX_SPACED] : take;
	} else if (HAS(t, AUX_SAMPLE_SIZE) && HAS(t, AUX_POPULATION)) {
		take = v->aux[AUX_SAMPLE_SIZE];
		of = v->aux[AUX_POPULATION];
	}
	if (!take || of < take)
		return 0;
	return of / take > UINT32_MAX ? UINT32_MAX : (uint32_t)(of / take);
}

void ipfix_values_finish(
	struct ipfix_values *v,
	const struct ipfix_template *t,
	const struct ipfix_message *m,
	struct ipfix_domain *d
)
{
	struct record *r = &v->r;
	uint32_t rate = rate_of(v, t);

	d->counts.bad_text += v->bad_text;
	finish_times(v, t, m, d);
	if (t->aux & (AUX_BIT(AUX_OUT_BYTES) | AUX_BIT(AUX_OUT_PACKETS)))
		finish_out(v, t, m);
	finish_icmp(r);
	if (t->both_families)
		finish_families(r);
	if (!rate) {
		bool has_id = HAS(t, AUX_SAMPLER);
		rate = ipfix_domain_sampling(d, has_id, has_id ? v->aux[AUX_SAMPLER] : 0);
	}
	if (rate)
		RECORD_SET(r, sampling, rate);
}

void ipfix_values_announce(
	const struct ipfix_values *v, const struct ipfix_template *t, struct ipfix_domain *d
)
{
	uint32_t rate = rate_of(v, t);
	d->counts.options++;
	if (rate) {
		bool has_id = HAS(t, AUX_SAMPLER);
		uint64_t id = has_id ? v->aux[AUX_SAMPLER] : 0;
		ipfix_domain_announce_sampling(d, has_id, id, rate);
	}
	if (HAS(t, AUX_SYSTEM_INIT) && v->aux[AUX_SYSTEM_INIT])
		d->system_init_ms = v->aux[AUX_SYSTEM_INIT];
}
