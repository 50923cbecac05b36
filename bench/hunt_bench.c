// SPDX-License-Identifier: Apache-2.0

// How long a hunt takes over the host tables of a month: hunt_bench [HOURS [HOSTS [FOLDER]]].
// Makes a store with the tables of 720 hours of 100,000 hosts (four of five IPv4) and 20,000 names
// each (24 hours of them different, by the writer's own code), and hunts in it for 10,000 new
// indicators and for one. Beside it, in the same run, what there is without an order: each host of
// each hour is looked up in a hash table per prefix length. Last an hour of a million rows, one of
// which has an indicator. JSON lines, then a table.

#include "collector/hunt/join.h"
#include "collector/hunt/journey.h"
#include "collector/store/index.h"
#include "collector/store/lookup.h"
#include "collector/store/seal.h"
#include "lib/base/clock.h"

#include <endian.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define FIRST_HOUR 490000u
#define DAY 24u
#define OUR_HOSTS 20000u // seen in every hour
#define MANY 10000u
#define NAMES 20000u
#define BATCHES 16u // of rows
#define BATCH_ROWS 65536u

static uint64_t random_state = 0x2545f4914f6cdd1d;

static uint64_t draw(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void die(const char *what, const char *why)
{
	fprintf(stderr, "hunt_bench: %s: %s\n", what, why);
	exit(1);
}

static void check(int ret, const char *what)
{
	if (ret < 0)
		die(what, strerror(-ret));
}

static struct addr random_addr(void)
{
	uint64_t v[2] = {draw(), draw()};
	uint8_t b[16] = {0x2a, (uint8_t)(v[0] & 7), (uint8_t)(v[0] >> 8), (uint8_t)(v[0] >> 16)};
	uint8_t v4[4] = {(uint8_t)(11 + v[0] % 112)};
	if (v[1] % 5) {
		memcpy(v4 + 1, &v[1], 3);
		return addr_of_v4(v4);
	}
	memcpy(b + 8, &v[1], 8);
	return addr_of_v6(b);
}

static struct addr our_addr(uint32_t i)
{
	return addr_of_v4((uint8_t[]){10, (uint8_t)(i >> 16), (uint8_t)(i >> 8), (uint8_t)i});
}

static void fill(struct rollup *r, uint32_t n_hosts)
{
	for (uint32_t i = 0; i < n_hosts; i++) {
		struct rollup_host h = {
			.addr = i < OUR_HOSTS ? our_addr(i) : random_addr(),
			.out_flows = 1 + draw() % 20,
			.in_flows = 1 + draw() % 20,
		};
		h.out_packets = h.out_flows * (1 + draw() % 30);
		h.in_packets = h.in_flows * (1 + draw() % 30);
		h.out_bytes = h.out_packets * (40 + draw() % 1400);
		h.in_bytes = h.in_packets * (40 + draw() % 1400);
		check(rollup_add_host(r, &h), "rollup");
	}
}

static size_t random_name(char name[static 64])
{
	return (size_t)snprintf(
		name,
		64,
		"h%" PRIx64 ".zone%u.%s",
		draw() >> 40,
		(unsigned)(draw() % 20000),
		draw() % 2 ? "com" : "example.org"
	);
}

static void fill_names(struct names *s)
{
	names_init(s);
	s->any_row = true;
	for (uint32_t i = 0; i < NAMES; i++) {
		char name[64], text[64];
		size_t len = random_name(name);
		name_reverse(name, len, text);
		check(names_add(s, text, len), "names");
	}
}

// As the sealer would write the tables of an hour of such hosts.
static void write_hour(struct store *s, uint32_t hour, uint32_t n_hosts)
{
	char error[STORE_ERROR_LEN];
	struct seal_pass p = {.store = s, .hour = hour, .last = db_batch_create()};
	struct rollup_totals totals = {.flows = n_hosts * 5ull};
	column_init(&p.coder);
	check(rollup_create(&p.rollup), "rollup");
	fill(p.rollup, n_hosts);
	check(rollup_add_totals(p.rollup, hour, &totals), "rollup");
	fill_names(&p.names);
	p.has_names = true;
	check(seal_put_tables(&p), "tables");
	if (db_write(s->db, p.last, false, error) < 0)
		die("write", error);
	rollup_free(p.rollup);
	names_fini(&p.names);
	column_fini(&p.coder);
	bytes_fini(&p.value);
	db_batch_free(p.last);
}

// The keys of an hour under another hour's name: encoding is the slow part.
static void copy_hour(struct store *s, uint32_t from, uint32_t to)
{
	static const enum key_kind kinds[] = {KEY_HOUR, KEY_ADDRS, KEY_INDEX, KEY_NAMES, KEY_PORTS};
	char error[STORE_ERROR_LEN];
	struct db_batch *b = db_batch_create();
	struct db_iter *it = db_iter_open(s->db, NULL, false);
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
		struct key prefix = key_hour(kinds[k], 0, from), head = key_hour(kinds[k], 0, to);
		bool valid = db_iter_seek(it, key_slice(&prefix));
		for (; valid && key_has_prefix(db_iter_key(it), &prefix);
		     valid = db_iter_next(it)) {
			struct slice key = db_iter_key(it);
			uint8_t copy[KEY_LEN_MAX];
			memcpy(copy, key.p, key.len);
			memcpy(copy, head.b, head.len);
			db_batch_put(b, (struct slice){copy, key.len}, db_iter_value(it));
		}
	}
	if (db_write(s->db, b, false, error) < 0)
		die("write", error);
	db_iter_close(it);
	db_batch_free(b);
}

static struct record row_of(uint32_t hour, const struct addr *dst)
{
	static char name[64];
	struct record r = {0};
	RECORD_SET(&r, start_ns, store_hour_start(hour) + draw() % NS_PER_HOUR);
	RECORD_SET(&r, end_ns, r.start_ns + draw() % (60 * NS_PER_SEC));
	RECORD_SET(&r, src, our_addr((uint32_t)(draw() % OUR_HOSTS)));
	RECORD_SET(&r, dst, *dst);
	RECORD_SET(&r, sport, (uint16_t)draw());
	RECORD_SET(&r, dport, draw() % 4 ? 443 : (uint16_t)(draw() % 1024));
	RECORD_SET(&r, proto, draw() % 3 ? 6 : 17);
	RECORD_SET(&r, packets, 1 + draw() % 50);
	RECORD_SET(&r, bytes, r.packets * (40 + draw() % 1400));
	RECORD_SET(&r, rev_packets, draw() % 50);
	RECORD_SET(&r, rev_bytes, r.rev_packets * (40 + draw() % 1400));
	RECORD_SET(&r, tcp_flags, 0x1b);
	if (draw() % 4 == 0) {
		uint16_t len = (uint16_t)random_name(name);
		RECORD_SET(&r, server_name, ((struct record_str){name, len}));
	}
	return r;
}

// An hour of rows; the address that one of them has is what is returned.
static struct addr write_rows(struct store *s, uint32_t hour)
{
	char error[STORE_ERROR_LEN];
	struct record_batch *b = record_batch_create(BATCH_ROWS);
	struct addr rare = addr_of_v4((uint8_t[]){203, 0, 113, 7});
	for (uint32_t k = 0; k < BATCHES; k++) {
		record_batch_clear(b);
		for (uint32_t i = 0; i < BATCH_ROWS; i++) {
			struct addr dst = random_addr();
			struct record r = row_of(hour, k == 3 && i == 7 ? &rare : &dst);
			check(record_batch_add(b, &r), "row");
		}
		if (store_commit(s, &b, 1, error) < 0)
			die("commit", error);
	}
	record_batch_free(b);
	if (store_seal(s, 0, true, error) < 0)
		die("seal", error);
	return rare;
}

static struct store *make_store(const char *dir, uint32_t n_hours, uint32_t n_hosts)
{
	struct store_options o = {.dir = dir, .cache_len = 256 << 20, .block_rows = 65536};
	char error[STORE_ERROR_LEN];
	struct store *s;
	if (store_open(&o, &s, error) < 0)
		die(dir, error);
	check(store_entity(s, STORE_ENTITY_DEFAULT), "entity");
	for (uint32_t h = 0; h < n_hours; h++) {
		if (h < DAY)
			write_hour(s, FIRST_HOUR + h, n_hosts);
		else
			copy_hour(s, FIRST_HOUR + h % DAY, FIRST_HOUR + h);
	}
	if (db_flush(s->db, error) < 0)
		die("flush", error);
	return s;
}

static struct prefix masked(struct addr a, unsigned len)
{
	struct prefix p = {.len = (uint8_t)len};
	uint64_t half[2];
	memcpy(half, a.b, 16);
	for (unsigned i = 0; i < 2; i++) {
		unsigned left = len > 64 * i ? len - 64 * i : 0;
		half[i] &= left >= 64 ? ~0ull : left ? htobe64(~0ull << (64 - left)) : 0;
	}
	memcpy(p.addr.b, half, 16);
	return p;
}

static const uint8_t lengths_v4[] = {128, 128, 128, 128, 124, 120, 126, 118};
static const uint8_t lengths_v6[] = {128, 128, 64, 56, 48};

static struct intel_list *make_list(size_t n)
{
	struct intel_list *l = intel_list_create("bench");
	for (size_t k = 0; k < n && l; k++) {
		struct indicator i = {.type = INDICATOR_NET, .score = 700};
		struct addr a = random_addr();
		unsigned len = addr_is_v4(&a) ? lengths_v4[draw() % sizeof(lengths_v4)]
					      : lengths_v6[draw() % sizeof(lengths_v6)];
		i.net = masked(a, len);
		check(intel_list_add(l, &i, ""), "list");
	}
	return l;
}

static struct intel_list *make_names(size_t n)
{
	struct intel_list *l = intel_list_create("bench");
	for (size_t k = 0; k < n && l; k++) {
		struct indicator i = {.type = INDICATOR_NAME, .score = 700, .is_exact = k % 2};
		char name[64];
		(void)random_name(name);
		check(intel_list_add(l, &i, name), "list");
	}
	return l;
}

struct figure {
	const char *what;
	size_t n_indicators;
	double seconds, cpu;
	uint64_t hosts, found;
};

static uint64_t clock_cpu_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * NS_PER_SEC + (uint64_t)t.tv_nsec;
}

static struct figure figure_of(const char *what, uint64_t start, uint64_t cpu)
{
	return (struct figure){
		.what = what,
		.seconds = (double)(clock_mono_ns() - start) / 1e9,
		.cpu = (double)(clock_cpu_ns() - cpu) / 1e9,
	};
}

static struct figure
by_hunt(struct store *s, const char *what, const struct intel_list *l, uint64_t hosts)
{
	static const _Atomic bool never;
	struct intel_list *lists[] = {(struct intel_list *)l};
	struct intel_options o = {.n_threads = 1};
	char error[INTEL_ERROR_LEN];
	struct hunt x = {.id = 1, .state = HUNT_RUNNING, .what = "bench"};
	if (intel_db_create(lists, 1, &o, &x.db, error) < 0)
		die("database", error);
	check(ids_of(x.db, &x.ids), "ids");
	uint64_t start = clock_mono_ns(), cpu = clock_cpu_ns();
	check(journey_run(s, 0, &x, &never), "hunt");
	struct figure f = figure_of(what, start, cpu);
	f.n_indicators = l->n;
	f.hosts = hosts;
	f.found = l->items[0].type == INDICATOR_NAME ? x.hours_scanned : x.hosts;
	intel_db_put(x.db);
	ids_free(&x.ids);
	return f;
}

// Networks of one length, by hash.
struct table {
	struct prefix *slots; // length 0: empty
	size_t n_slots;
};

struct tables {
	struct table at[129];
	uint64_t hosts, found;
};

static size_t slot_of(const struct table *t, const struct addr *a)
{
	uint64_t hi, lo;
	memcpy(&hi, a->b, 8);
	memcpy(&lo, a->b + 8, 8);
	uint64_t h = (hi * 0x9e3779b97f4a7c15ull ^ lo) * 0xff51afd7ed558ccdull;
	size_t at = (h >> 32) & (t->n_slots - 1);
	while (t->slots[at].len && !addr_eq(&t->slots[at].addr, a))
		at = (at + 1) & (t->n_slots - 1);
	return at;
}

static void look_up(struct tables *ts, const struct table_index *part)
{
	for (uint32_t i = 0; i < part->n; i++) {
		struct addr host = addr_of_number(part_number(part, i));
		bool any = false;
		for (unsigned len = addr_is_v4(&host) ? 97 : 1; len <= 128 && !any; len++) {
			const struct table *t = &ts->at[len];
			if (!t->slots)
				continue;
			struct addr a = masked(host, len).addr;
			any = t->slots[slot_of(t, &a)].len;
		}
		ts->found += any;
	}
}

// Reads every address of every hour; with `tables`, looks each up.
static struct figure
walk(struct store *s, const char *what, uint32_t n_hours, struct tables *ts, bool tables)
{
	static struct store_index x;
	static const struct addr zero;
	struct store_view *v = store_view_of(s);
	uint64_t start = clock_mono_ns(), cpu = clock_cpu_ns();
	for (uint32_t h = 0; h < n_hours; h++) {
		check(store_index_open(&x, v, 0, FIRST_HOUR + h), "index");
		int ret = store_index_seek(&x, &zero);
		for (; ret > 0; ret = store_index_next(&x)) {
			ts->hosts += x.part.n;
			if (tables)
				look_up(ts, &x.part);
		}
		check(ret, "index");
	}
	struct figure f = figure_of(what, start, cpu);
	f.hosts = ts->hosts;
	f.found = ts->found;
	store_view_close(v);
	return f;
}

static struct figure by_hash(struct store *s, const struct intel_list *l, uint32_t n_hours)
{
	struct tables ts = {};
	size_t n_slots = 1;
	while (n_slots < 2 * l->n)
		n_slots *= 2;
	for (size_t k = 0; k < l->n; k++) {
		const struct prefix *net = &l->items[k].net;
		struct table *t = &ts.at[net->len];
		if (!t->slots)
			*t = (struct table){calloc(n_slots, sizeof(*t->slots)), n_slots};
		t->slots[slot_of(t, &net->addr)] = *net;
	}
	struct figure f = walk(s, "every host by hash", n_hours, &ts, true);
	f.n_indicators = l->n;
	for (unsigned len = 0; len <= 128; len++)
		free(ts.at[len].slots);
	return f;
}

static void print(const struct figure *f, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("{\"bench\":\"hunt\",\"what\":\"%s\",\"indicators\":%zu,\"seconds\":%.3f,"
		       "\"cpu_seconds\":%.3f,"
		       "\"hosts\":%" PRIu64 ",\"hosts_per_s\":%.0f,\"found\":%" PRIu64 "}\n",
		       f[i].what,
		       f[i].n_indicators,
		       f[i].seconds,
		       f[i].cpu,
		       f[i].hosts,
		       (double)f[i].hosts / f[i].seconds,
		       f[i].found);
	printf("\n%-22s %10s %9s %9s %12s %8s\n",
	       "",
	       "indicators",
	       "seconds",
	       "of CPU",
	       "M/s",
	       "found");
	for (size_t i = 0; i < n; i++)
		printf("%-22s %10zu %9.3f %9.3f %12.1f %8" PRIu64 "\n",
		       f[i].what,
		       f[i].n_indicators,
		       f[i].seconds,
		       f[i].cpu,
		       (double)f[i].hosts / f[i].seconds / 1e6,
		       f[i].found);
}

static int unlink_it(const char *path, const struct stat *, int, struct FTW *)
{
	return remove(path);
}

int main(int argc, char **argv)
{
	char dir[] = "/tmp/weir-hunt-XXXXXX";
	uint32_t n_hours = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 720;
	uint32_t n_hosts = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 100000;
	const char *where = argc > 3 ? argv[3] : mkdtemp(dir);
	if (!n_hours || !n_hosts || !where)
		die("usage", "hunt_bench [HOURS [HOSTS [FOLDER]]]");
	uint64_t start = clock_mono_ns();
	struct store *s = make_store(where, n_hours, n_hosts);
	fprintf(stderr,
		"%u hours of %u hosts made in %.0f s\n",
		n_hours,
		n_hosts,
		(double)(clock_mono_ns() - start) / 1e9);
	struct intel_list *many = make_list(MANY), *one = make_list(1);
	struct tables counted = {};
	struct intel_list *many_names = make_names(MANY), *one_name = make_names(1);
	uint64_t names = (uint64_t)n_hours * NAMES;
	struct figure figures[8];
	figures[0] = walk(s, "reading alone", n_hours, &counted, false);
	figures[1] = by_hunt(s, "hunt", many, counted.hosts);
	figures[2] = by_hash(s, many, n_hours);
	figures[3] = by_hunt(s, "hunt", one, counted.hosts);
	figures[4] = by_hash(s, one, n_hours);
	figures[5] = by_hunt(s, "hunt for names", many_names, names);
	figures[6] = by_hunt(s, "hunt for names", one_name, names);
	struct addr rare = write_rows(s, FIRST_HOUR + n_hours + 1);
	one->items[0].net = (struct prefix){rare, 128};
	figures[7] = by_hunt(s, "hunt through rows", one, (uint64_t)BATCHES * BATCH_ROWS);
	print(figures, 8);
	intel_list_put(many_names);
	intel_list_put(one_name);
	intel_list_put(many);
	intel_list_put(one);
	store_close(s);
	if (argc <= 3)
		nftw(dir, unlink_it, 16, FTW_DEPTH | FTW_PHYS);
	return figures[1].found == figures[2].found && figures[3].found == figures[4].found ? 0 : 1;
}
