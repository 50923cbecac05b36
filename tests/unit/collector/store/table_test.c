// SPDX-License-Identifier: Apache-2.0
#include "collector/store/checksum.h"
#include "collector/store/table.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/rows.h"
#include "tests/unit/collector/store/values.h"

struct fixture {
	struct ints_coder coder, other; // what decodes is not what encoded
	struct bytes out;
	struct table_hour hour;
	struct rollup_host hosts[TABLE_HOSTS];
	struct rollup_port ports[TABLE_PORTS];
	struct table_index index;
	uint32_t n;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	ints_init(&f->coder);
	ints_init(&f->other);
	*state = f;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;
	ints_fini(&f->coder);
	ints_fini(&f->other);
	bytes_fini(&f->out);
	free(f);
	return 0;
}

static int decode_hour(void *ctx, const void *p, size_t len)
{
	struct fixture *f = ctx;
	return table_hour_decode((struct slice){p, len}, &f->hour);
}

static int decode_hosts(void *ctx, const void *p, size_t len)
{
	struct fixture *f = ctx;
	return table_hosts_decode(&f->other, (struct slice){p, len}, f->hosts, &f->n);
}

static int decode_ports(void *ctx, const void *p, size_t len)
{
	struct fixture *f = ctx;
	return table_ports_decode(&f->other, (struct slice){p, len}, f->ports, &f->n);
}

static int decode_index(void *ctx, const void *p, size_t len)
{
	struct fixture *f = ctx;
	return table_index_decode(&f->other, (struct slice){p, len}, false, &f->index);
}

static void check_damage(const struct values *v, struct bytes *out)
{
	values_refuse_truncation(v, out);
	values_refuse_flips(v, out);
	bytes_u8(out, 0);
	assert_int_equal(values_decode(v, out->p, out->len), -EIO);
}

// Counters as they come: mostly small, some enormous, often 0.
static uint64_t counter(void)
{
	return rows_below(3) ? rows_below(1000) : rows_random() >> rows_below(64);
}

static void an_hour_comes_back_and_a_damaged_one_does_not(void **state)
{
	struct fixture *f = *state;
	static const uint32_t protos[] = {0, 1, 8, 256};
	for (int i = 0; i < 4; i++) {
		struct table_hour want = {
			.totals = {counter(), counter(), counter(), counter()},
			.n_blocks = counter(),
			.n_protos = protos[i],
		};
		for (uint32_t k = 0; k < protos[i]; k++) {
			want.protos[k].proto = (uint8_t)k;
			want.protos[k].flows = counter();
			want.protos[k].packets = counter();
			want.protos[k].bytes = UINT64_MAX;
		}
		struct values values = {decode_hour, f};
		f->hour = (struct table_hour){0};
		f->out.len = 0;
		assert_int_equal(table_hour_encode(&want, &f->out), 0);
		assert_int_equal(values_decode(&values, f->out.p, f->out.len), 0);
		assert_memory_equal(&f->hour, &want, sizeof(want));
		check_damage(&values, &f->out);
	}
}

static void random_hosts(struct rollup_host *hosts, uint32_t n, bool large)
{
	for (uint32_t i = 0; i < n; i++) {
		struct rollup_host h = {.addr = rows_addr()};
		uint64_t *counters = &h.out_flows;
		h.addr.b[14] = (uint8_t)(i >> 8); // rising
		h.addr.b[15] = (uint8_t)i;
		for (int k = 0; k < 7; k++)
			counters[k] = large ? rows_random() : counter();
		hosts[i] = h;
	}
}

static void hosts_come_back_and_damaged_ones_do_not(void **state)
{
	static const uint32_t sizes[] = {1, 2, 3, 1000, TABLE_HOSTS};
	struct fixture *f = *state;
	struct rollup_host want[TABLE_HOSTS];
	struct values values = {decode_hosts, f};
	for (int i = 0; i < 10; i++) {
		uint32_t n = sizes[i / 2];
		random_hosts(want, n, i % 2);
		f->out.len = 0;
		assert_int_equal(table_hosts_encode(&f->coder, want, n, &f->out), 0);
		assert_int_equal(values_decode(&values, f->out.p, f->out.len), 0);
		assert_int_equal(f->n, n);
		assert_memory_equal(f->hosts, want, n * sizeof(want[0]));
		if (n < 1000)
			check_damage(&values, &f->out);
	}
}

static void assert_index(const struct table_index *x, const struct rollup_host *want, uint32_t n)
{
	assert_int_equal(x->n, n);
	for (uint32_t i = 0; i < n; i++) {
		struct buf addr = buf_of(want[i].addr.b, 16);
		assert_int_equal(x->hi[i], buf_u64(&addr));
		assert_int_equal(x->lo[i], buf_u64(&addr));
	}
}

static void addresses_come_back_alone_and_from_hosts(void **state)
{
	static const uint32_t sizes[] = {1, 2, 3, 1000, TABLE_INDEX};
	struct fixture *f = *state;
	struct rollup_host *want = calloc(TABLE_INDEX + 1, sizeof(*want));
	struct values values = {decode_index, f};
	for (int i = 0; i < 5; i++) {
		uint32_t n = sizes[i];
		random_hosts(want, n, false);
		f->out.len = 0;
		assert_int_equal(table_index_encode(&f->coder, want, n, &f->out), 0);
		assert_int_equal(values_decode(&values, f->out.p, f->out.len), 0);
		assert_index(&f->index, want, n);
		if (n < 1000)
			check_damage(&values, &f->out);
		if (n > TABLE_HOSTS)
			continue;
		f->out.len = 0;
		assert_int_equal(table_hosts_encode(&f->coder, want, n, &f->out), 0);
		struct slice hosts = {f->out.p, f->out.len};
		assert_int_equal(table_index_decode(&f->other, hosts, true, &f->index), 0);
		assert_index(&f->index, want, n);
		assert_int_equal(table_index_decode(&f->other, hosts, false, &f->index), -EIO);
	}
	f->out.len = 0;
	assert_int_equal(table_index_encode(&f->coder, want, TABLE_INDEX + 1, &f->out), 0);
	assert_int_equal(values_decode(&values, f->out.p, f->out.len), -EIO);
	free(want);
}

static void ports_come_back_and_damaged_ones_do_not(void **state)
{
	static const uint32_t sizes[] = {1, 2, 300, TABLE_PORTS};
	struct fixture *f = *state;
	struct rollup_port want[TABLE_PORTS];
	struct values values = {decode_ports, f};
	for (int i = 0; i < 4; i++) {
		uint32_t n = sizes[i];
		for (uint32_t k = 0; k < n; k++) {
			memset(&want[k], 0, sizeof(want[k]));
			want[k].port = (uint16_t)(k * 15);
			want[k].proto = k % 2 ? 255 : 6;
			want[k].flows = counter();
			want[k].packets = counter();
			want[k].bytes = rows_random();
		}
		memset(f->ports, 0, sizeof(f->ports));
		f->out.len = 0;
		assert_int_equal(table_ports_encode(&f->coder, want, n, &f->out), 0);
		assert_int_equal(values_decode(&values, f->out.p, f->out.len), 0);
		assert_int_equal(f->n, n);
		for (uint32_t k = 0; k < n; k++) {
			assert_int_equal(f->ports[k].port, want[k].port);
			assert_int_equal(f->ports[k].proto, want[k].proto);
			assert_int_equal(f->ports[k].flows, want[k].flows);
			assert_int_equal(f->ports[k].packets, want[k].packets);
			assert_int_equal(f->ports[k].bytes, want[k].bytes);
		}
		if (n < TABLE_PORTS)
			check_damage(&values, &f->out);
	}
}

static void a_part_of_quiet_hosts_packs_well(void **state)
{
	struct fixture *f = *state;
	struct rollup_host hosts[TABLE_HOSTS];
	for (uint32_t i = 0; i < TABLE_HOSTS; i++) {
		uint8_t v4[4] = {10, 1, (uint8_t)(i >> 8), (uint8_t)i};
		hosts[i] = (struct rollup_host){
			.addr = addr_of_v4(v4),
			.out_flows = 1 + rows_below(4),
			.out_packets = 1 + rows_below(16),
			.out_bytes = 40 + rows_below(1000),
		};
	}
	assert_int_equal(table_hosts_encode(&f->coder, hosts, TABLE_HOSTS, &f->out), 0);
	assert_true(f->out.len < (size_t)TABLE_HOSTS * 3);
}

// Values that are not what we write, under a right checksum.
static int decode_sealed(struct fixture *f, int (*decode)(void *ctx, const void *p, size_t len))
{
	struct values values = {decode, f};
	bytes_u64(&f->out, checksum64(f->out.p, f->out.len));
	int ret = values_decode(&values, f->out.p, f->out.len);
	f->out.len = 0;
	return ret;
}

static void parts_that_cannot_be_are_refused(void **state)
{
	struct fixture *f = *state;
	struct rollup_host *hosts = calloc(TABLE_HOSTS + 1, sizeof(*hosts));
	struct rollup_port *ports = calloc(TABLE_PORTS + 1, sizeof(*ports));
	struct values as_hosts = {decode_hosts, f}, as_ports = {decode_ports, f};
	assert_int_equal(table_hosts_encode(&f->coder, hosts, TABLE_HOSTS + 1, &f->out), 0);
	assert_int_equal(values_decode(&as_hosts, f->out.p, f->out.len), -EIO);
	f->out.len = 0;
	assert_int_equal(table_ports_encode(&f->coder, ports, TABLE_PORTS + 1, &f->out), 0);
	assert_int_equal(values_decode(&as_ports, f->out.p, f->out.len), -EIO);
	free(hosts);
	free(ports);
	f->out.len = 0;
	bytes_u8(&f->out, TABLE_VERSION);
	bytes_u8(&f->out, 0); // no entries
	assert_int_equal(decode_sealed(f, decode_hosts), -EIO);
	bytes_u8(&f->out, TABLE_VERSION);
	bytes_varint(&f->out, UINT64_MAX);
	assert_int_equal(decode_sealed(f, decode_ports), -EIO);
	bytes_u8(&f->out, TABLE_VERSION);
	bytes_put(&f->out, "\1\1\1\1\1\201\2", 7); // 257 protocols
	for (int i = 0; i < 4 * 257; i++)
		bytes_u8(&f->out, 1);
	assert_int_equal(decode_sealed(f, decode_hour), -EIO);
	bytes_u8(&f->out, TABLE_VERSION + 1);
	bytes_put(&f->out, "\1\1\1\1\1\0", 6);
	assert_int_equal(decode_sealed(f, decode_hour), -EIO);
	bytes_u8(&f->out, TABLE_VERSION);
	bytes_put(&f->out, "\1\1\1\1\1\0", 6);
	assert_int_equal(decode_sealed(f, decode_hour), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(an_hour_comes_back_and_a_damaged_one_does_not),
		TEST(hosts_come_back_and_damaged_ones_do_not),
		TEST(addresses_come_back_alone_and_from_hosts),
		TEST(ports_come_back_and_damaged_ones_do_not),
		TEST(a_part_of_quiet_hosts_packs_well),
		TEST(parts_that_cannot_be_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
