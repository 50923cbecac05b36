// SPDX-License-Identifier: Apache-2.0
#include "collector/hunt/scan.h"

#include "collector/intel/batch.h"
#include "collector/store/lookup.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>

#define BURST 256
#define SLOTS_START 1024
#define SEEK_RANGES 32 // of addresses: with more, all parts are read
#define FIELDS                                                                                     \
	(RECORD_BIT(start_ns) | RECORD_BIT(end_ns) | RECORD_BIT(src) | RECORD_BIT(dst) |           \
	 RECORD_BIT(sport) | RECORD_BIT(dport) | RECORD_BIT(proto) | RECORD_BIT(packets) |         \
	 RECORD_BIT(bytes) | RECORD_BIT(rev_packets) | RECORD_BIT(rev_bytes) |                     \
	 RECORD_BIT(verdict) | RECORD_BIT(indicator) | RECORD_BIT(server_name))

int hunt_scan_init(
	struct hunt_scan *s,
	const struct intel_db *db,
	unsigned thread,
	const struct ids *ids,
	const struct quarry *quarry
)
{
	*s = (struct hunt_scan){.db = db, .thread = thread, .ids = ids, .quarry = quarry};
	s->n_slots = SLOTS_START;
	s->slots = calloc(s->n_slots, sizeof(*s->slots));
	return s->slots ? 0 : -ENOMEM;
}

void hunt_scan_fini(struct hunt_scan *s)
{
	prey_fini(&s->prey);
	free(s->hits);
	free(s->slots);
	free(s->names);
	free(s->kept);
}

static void begin_hour(struct hunt_scan *s)
{
	prey_clear(&s->prey);
	memset(s->slots, 0, s->n_slots * sizeof(*s->slots));
	s->n_hits = 0;
	s->any_name = false;
	s->names_len = 0;
}

static uint64_t hash_of(const struct hit *h)
{
	uint64_t lo, hi;
	memcpy(&hi, h->inside.b, 8);
	memcpy(&lo, h->inside.b + 8, 8);
	unsigned __int128 product = (unsigned __int128)(h->indicator ^ hi) *
				    (lo + h->direction + 0x9e3779b97f4a7c15ull);
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static bool same_row(const struct hit *a, const struct hit *b)
{
	return a->indicator == b->indicator && a->direction == b->direction &&
	       addr_eq(&a->inside, &b->inside);
}

static size_t slot_of(const struct hunt_scan *s, const struct hit *h)
{
	size_t at = hash_of(h) & (s->n_slots - 1);
	while (s->slots[at] && !same_row(&s->hits[s->slots[at] - 1], h))
		at = (at + 1) & (s->n_slots - 1);
	return at;
}

static int make_room(struct hunt_scan *s)
{
	if (s->n_hits == s->cap) {
		size_t cap = s->cap ? s->cap * 2 : 256;
		struct hit *hits = reallocarray(s->hits, cap, sizeof(*hits));
		if (!hits)
			return -ENOMEM;
		s->hits = hits;
		struct kept_name *kept = reallocarray(s->kept, cap, sizeof(*kept));
		if (!kept)
			return -ENOMEM;
		s->kept = kept;
		s->cap = cap;
	}
	if (s->n_hits * 2 < s->n_slots)
		return 0;
	size_t n_slots = s->n_slots ? s->n_slots * 2 : SLOTS_START;
	uint32_t *slots = calloc(n_slots, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	free(s->slots);
	s->slots = slots;
	s->n_slots = n_slots;
	for (size_t i = 0; i < s->n_hits; i++)
		s->slots[slot_of(s, &s->hits[i])] = (uint32_t)i + 1;
	return 0;
}

static void add_counts(struct hit_counts *to, const struct hit_counts *more)
{
	to->flows += more->flows;
	to->packets += more->packets;
	to->bytes += more->bytes;
	to->denied += more->denied;
}

// More room for a name, in few steps: what a row was seen with changes often, and is longer seldom.
static int make_name_room(struct hunt_scan *s, struct kept_name *kept, uint8_t len)
{
	uint8_t room = len <= 32 ? 32 : len <= 96 ? 96 : HIT_TEXT_MAX;
	if (s->names_cap - s->names_len < room) {
		size_t cap = s->names_cap ? s->names_cap * 2 : 65536;
		char *names = realloc(s->names, cap);
		if (!names)
			return -ENOMEM;
		s->names = names;
		s->names_cap = cap;
	}
	*kept = (struct kept_name){s->names_len, room};
	s->names_len += room;
	return 0;
}

// Keeps the name that the hit's newest row was seen with: the block it stands in goes.
static int keep_name(struct hunt_scan *s, size_t i)
{
	struct record_str *seen = &s->hits[i].texts[HIT_SEEN_NAME];
	struct kept_name *kept = &s->kept[i];
	seen->len = seen->len < HIT_TEXT_MAX ? seen->len : HIT_TEXT_MAX;
	if (seen->len > kept->room && make_name_room(s, kept, (uint8_t)seen->len) < 0)
		return -ENOMEM;
	if (seen->len)
		memcpy(s->names + kept->off, seen->p, seen->len);
	return 0;
}

static int take_new(struct hunt_scan *s, const struct hit *h)
{
	if (s->n_hits == HUNT_HITS_MAX) {
		s->over_limit++;
		return 0;
	}
	if (make_room(s) < 0)
		return -ENOMEM;
	s->hits[s->n_hits] = *h;
	s->kept[s->n_hits] = (struct kept_name){};
	if (keep_name(s, s->n_hits) < 0)
		return -ENOMEM;
	size_t at = slot_of(s, h);
	s->slots[at] = (uint32_t)++s->n_hits;
	return 0;
}

static int take(struct hunt_scan *s, const struct hit *h)
{
	size_t at = slot_of(s, h);
	if (!s->slots[at])
		return take_new(s, h);
	size_t i = s->slots[at] - 1;
	struct hit *row = &s->hits[i], old = *row;
	bool is_newer = h->last_ns >= old.last_ns;
	if (is_newer)
		*row = *h;
	row->first_ns = h->first_ns < old.first_ns ? h->first_ns : old.first_ns;
	row->retro = old.retro;
	add_counts(&row->retro, &h->retro);
	return is_newer ? keep_name(s, i) : 0;
}

struct rows {
	const struct record_batch *b;
	const struct addr *src, *dst;
	const uint16_t *dport;
	const struct record_text *name;
	bool is_journal; // no table tells of it: the ranges do
};

static bool is_candidate(const struct hunt_scan *s, const struct rows *r, uint32_t i)
{
	const struct quarry *q = s->quarry;
	if (q->any_port && r->dport && q->ports[r->dport[i] >> 6] >> (r->dport[i] & 63) & 1)
		return true;
	if (s->any_name && r->name && r->name[i].len)
		return true;
	if (r->is_journal)
		return (r->src && quarry_has(q, &r->src[i])) ||
		       (r->dst && quarry_has(q, &r->dst[i]));
	return (r->src && prey_has(&s->prey, &r->src[i])) ||
	       (r->dst && prey_has(&s->prey, &r->dst[i]));
}

static int match_rows(
	struct hunt_scan *s,
	uint16_t entity,
	const struct record_batch *b,
	const uint32_t *rows,
	uint32_t n
)
{
	struct intel_query queries[BURST];
	struct intel_match matches[BURST];
	struct record records[BURST];
	for (uint32_t i = 0; i < n; i++) {
		struct record *r = &records[i];
		record_batch_get(b, rows[i], r);
		queries[i] = (struct intel_query){
			.src = r->src,
			.dst = r->dst,
			.sport = r->sport,
			.dport = r->dport,
			.proto = r->proto,
			.has_flow = true,
			.name = r->server_name,
		};
	}
	// What expired before the traffic was still an indicator when it was added: by today's
	// clock.
	uint32_t now_sec = (uint32_t)(clock_now_ns() / NS_PER_SEC);
	intel_match(s->db, s->thread, now_sec, queries, n, matches, &s->counters);
	for (uint32_t i = 0; i < n; i++) {
		const struct intel_match *m = &matches[i];
		if (!m->id || m->id == records[i].indicator || !ids_has(s->ids, m->id))
			continue;
		struct hit h = batch_hit_of(m, &records[i], entity, true);
		if (take(s, &h) < 0)
			return -ENOMEM;
	}
	return 0;
}

// The first candidate from row i on, or the number of rows.
static uint32_t next_candidate(const struct hunt_scan *s, const struct rows *r, uint32_t i)
{
	while (i < r->b->n_rows && !is_candidate(s, r, i))
		i++;
	return i;
}

// Of a block without a candidate only what tells that is read.
static int
scan_batch(struct hunt_scan *s, uint16_t entity, struct store_scan *scan, const struct rows *r)
{
	uint32_t rows[BURST], n = 0, i = next_candidate(s, r, 0);
	s->rows += r->b->n_rows;
	int ret = i < r->b->n_rows ? store_scan_load(scan) : 0;
	for (; i < r->b->n_rows && ret == 0; i = next_candidate(s, r, i + 1)) {
		rows[n++] = i;
		if (n == BURST) {
			ret = match_rows(s, entity, r->b, rows, n);
			n = 0;
		}
	}
	return ret == 0 && n ? match_rows(s, entity, r->b, rows, n) : ret;
}

static struct rows rows_of(const struct record_batch *b, bool is_journal)
{
	bool names = b->used & RECORD_BIT(server_name);
	return (struct rows){
		.b = b,
		.src = RECORD_COLUMN(b, src),
		.dst = RECORD_COLUMN(b, dst),
		.dport = RECORD_COLUMN(b, dport),
		.name = names ? b->columns[FIELD_server_name] : NULL,
		.is_journal = is_journal,
	};
}

// The columns by which candidates are told.
static uint64_t look_fields(const struct hunt_scan *s)
{
	const struct quarry *q = s->quarry;
	return (q->n_ranges ? RECORD_BIT(src) | RECORD_BIT(dst) : 0) |
	       (q->any_port ? RECORD_BIT(dport) : 0) | (s->any_name ? RECORD_BIT(server_name) : 0);
}

static int scan_rows(
	struct hunt_scan *s, struct store_view *v, uint16_t entity, uint32_t hour, bool journal_only
)
{
	struct store_scan_spec spec = {
		.entity = entity,
		.from_ns = store_hour_start(hour),
		.to_ns = store_hour_start(hour + 1) - 1,
		.fields = look_fields(s),
		.late = FIELDS & ~look_fields(s),
		.journal_only = journal_only,
	};
	struct store_scan *scan;
	const struct record_batch *b;
	int ret = store_scan_open(v, &spec, &scan);
	if (ret < 0)
		return ret;
	while (ret == 0 && (ret = store_scan_next(scan, &b)) != 0) {
		if (ret > 0) {
			// Sealed and journal blocks come mixed; ranges are right for both, tables
			// quicker.
			struct rows r = rows_of(b, journal_only || s->prey.n == 0);
			ret = scan_batch(s, entity, scan, &r);
		}
		if (ret == -EIO) { // the block is passed over, the others are not
			s->damaged++;
			ret = 0;
		}
		if (ret == 0 && atomic_load_explicit(s->cancel, memory_order_relaxed))
			ret = -ECANCELED;
	}
	store_scan_close(scan);
	s->hours_scanned++;
	return ret;
}

// The hosts of the hour that are hunted for. With few ranges each is sought; else part by part: a
// seek costs as much as some parts read in a row.
static int join_hosts(struct hunt_scan *s, struct store_view *v, uint16_t entity, uint32_t hour)
{
	const struct quarry *q = s->quarry;
	struct store_index *x = &s->index;
	size_t k = 0;
	int ret = store_index_open(x, v, entity, hour);
	if (ret < 0)
		return ret;
	struct addr a = addr_of_number(q->ranges[0].first);
	ret = store_index_seek(x, &a);
	while (ret > 0) {
		unsigned __int128 last = part_number(&x->part, x->part.n - 1);
		size_t before = k;
		if ((ret = prey_join(&s->prey, q, &x->part, &k)) < 0)
			return ret;
		if (k == q->n_ranges)
			return 0;
		if (q->n_ranges > SEEK_RANGES || k == before || q->ranges[k].first <= last) {
			ret = store_index_next(x);
			continue;
		}
		a = addr_of_number(q->ranges[k].first);
		ret = store_index_seek(x, &a);
	}
	return ret;
}

// Whether the hour has a name that is hunted for. Without a table of names any name may be one.
static int join_names(struct hunt_scan *s, struct store_view *v, uint16_t entity, uint32_t hour)
{
	uint64_t fields = 0;
	int ret = name_quarry_join(&s->quarry->names, &s->names_walk, v, entity, hour);
	s->damaged += ret == -EIO;
	if (ret == -ENOENT || ret == -EIO) {
		ret = store_view_fields(v, entity, hour, &fields);
		s->any_name = ret < 0 || fields & RECORD_BIT(server_name);
		return ret;
	}
	s->any_name = ret > 0;
	return ret < 0 ? ret : 0;
}

// Whether any sealed row of the hour can match.
static int look_at_tables(
	struct hunt_scan *s, struct store_view *v, uint16_t entity, uint32_t hour, bool *ret_any
)
{
	const struct quarry *q = s->quarry;
	bool port = false;
	int ret = q->n_ranges ? join_hosts(s, v, entity, hour) : 0;
	if (ret == 0 && s->prey.n)
		ret = prey_index(&s->prey);
	if (ret == 0 && q->any_port && !s->prey.n)
		ret = store_view_any_port(v, entity, hour, q->ports, &port);
	if (ret == 0 && q->names.n)
		ret = join_names(s, v, entity, hour);
	s->hosts += s->prey.n;
	*ret_any = s->prey.n || port || s->any_name;
	return ret;
}

int hunt_scan_hour(
	struct hunt_scan *s,
	struct store_view *v,
	uint16_t entity,
	const struct store_hour *hour,
	const _Atomic bool *cancel
)
{
	bool any = false;
	begin_hour(s);
	s->cancel = cancel;
	int ret = hour->sealed_rows ? look_at_tables(s, v, entity, hour->hour, &any) : 0;
	if (ret == -EIO) { // the rows tell what damaged tables cannot
		s->damaged++;
		prey_clear(&s->prey);
		any = true;
		s->any_name = s->quarry->names.n > 0;
		ret = 0;
	}
	if (ret == 0 && (any || hour->journal_rows)) {
		// With journal rows beside sealed ones the hosts in the tables are not all.
		if (hour->journal_rows) {
			s->prey.n = 0;
			s->any_name = s->quarry->names.n > 0;
		}
		ret = scan_rows(s, v, entity, hour->hour, !any);
	}
	for (size_t i = 0; ret == 0 && i < s->n_hits; i++)
		s->hits[i].texts[HIT_SEEN_NAME].p = s->names ? s->names + s->kept[i].off : "";
	return ret;
}
