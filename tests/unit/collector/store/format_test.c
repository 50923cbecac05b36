// SPDX-License-Identifier: Apache-2.0
// Values as version 1 of the store has written them, one of each kind. They must be read for ever:
// who changes a format raises its version (docs/STORE.md), keeps the decoder of the old one, and
// adds values of the new one here.
#include "collector/store/block.h"
#include "collector/store/name_table.h"
#include "collector/store/table.h"
#include "collector/store/user.h"
#include "collector/store/witness.h"
#include "tests/unit/cmocka.h"
#include "tests/unit/collector/store/columns.h"
#include "tests/unit/collector/store/values.h"

#define START_NS 1764000000000000000ull // of hour 490000

// clang-format off
static const char journal_block[] =
	"57424c4b01000c0008000000010000000000ca67a7fc7a1840aeb56aa7fc7a1800160000"
	"00010f0000000313000000041100000005150000000607000000070a0000000a0d000000"
	"0b070000001b0e00000026220000002a070000000100068080a8bef694bfbd18c0843d00"
	"c0e154dca8c6020003008094ebdc0301055a8846f90300000001000002808080d0f0ff3f"
	"01002449030000000100000081848080fcff3f010001000dc0b802010000800c4006c201"
	"648813842399010000bb030100010004060100b0b0b0b001000301010103bf843d88cefa"
	"01016400640100010003808080808040010088c6fa050300050001000924612e6578616d"
	"706c65622e6578616d706c650002000100242401000100010080b07a809806c88a0c";

static const char summary[] =
	"010000000000000008000000010000000000ca67a7fc7a1840aeb56aa7fc7a18fb0c0008"
	"400400001e010000000000008bc5bc226dc67e2f";

struct column_value {
	enum record_field field;
	const char *hex;
};

// Columns of the same rows as the journal block's.
static const struct column_value columns_of_8[] = {
	{FIELD_start_ns,
	"010100068080a8bef694bfbd18c0843d00c0e154dca8c6f01fb3968be2735a"},
	{FIELD_end_ns,
	"01020003008094ebdc0301055a8846f9b635b391277cd188"},
	{FIELD_src,
	"010300000001000002808080d0f0ff3f01002449e7b5121a24b33e9e"},
	{FIELD_dst,
	"01030000000100000081848080fcff3f0100291e6f52437bbbcf"},
	{FIELD_sport,
	"0101000dc0b802010000800c4006c201648813842399de5704599fb73f89"},
	{FIELD_dport,
	"01010000bb03010093de8732b85b52e2"},
	{FIELD_proto,
	"01010004060100b0b0b0b087f2e283daabd262"},
	{FIELD_packets,
	"0101000301010103bf843d88cefaa8d4a3fb70aefafe"},
	{FIELD_bytes,
	"01010164006401000fb7c7c0828ba6e9"},
	{FIELD_src_mac,
	"01010003808080808040010088c6fa1e0466a811e078b2"},
	{FIELD_server_name,
	"01050300050001000924612e6578616d706c65622e6578616d706c650002000100242485"
	"7b9a33a48e199d"},
	{FIELD_verdict,
	"010100010001008007689552335b0141"},
};

// Columns of 64 rows, in the forms that take more rows to pay: distances, dictionaries.
static const struct column_value columns_of_64[] = {
	{FIELD_start_ns,
	"0101018080a8bef694bfbd18008094ebdc038094ebdc0300a44322105e84a384"},
	{FIELD_end_ns,
	"01020003008094ebdc030088464423a211d188684434221a118d88464423a211d188686a"
	"2d7e56a9b7cb91"},
	{FIELD_recv_ns,
	"0101020701959a97f9f694bfbd1800c3843d01000300010088c61ad158231a6b44638d68"
	"ac118d35a2b14634d688c61ab5c4afdd19afb9fd"},
	{FIELD_src,
	"01040300128080808080b7c3802001000000000004002000000101020181808080808080"
	"804d0182808080808080809a01000200010024499224499224499224499224499224e156"
	"2cc5ba4eccb7"},
	{FIELD_app_id,
	"01010203000005010201ef9bafcdf8acd1910101deb7de9af1d9a2a30202000100244992"
	"24499224499224499224499224449f3721e4c53881"},
};

static const char hour[] =
	"0108e3843d901c010202060410c00c1104d3843dd00ff7d7c6c96a4292b1";

static const char hosts[] =
	"010300000001000005818080d0f0ff3f010020200005000100410100050001008202000a"
	"00010003b004000005000100040400050001000504000800010006002800050001000704"
	"fcc6dc13250ff4f8";

static const char index_part[] = "010300000001000005818080d0f0ff3f010020206f8605e7f375ac5a";

static const char names_part[] =
	"0103000b74656e2e656c706d6178650b022d780b042e777777f2b96c7215"
	"3dbfe2";

static const char ports[] =
	"01030005060100002c000a350100001806000008010100006306000d02010000c0f91400"
	"00150301000000a07b92e40a009048eecd46148de9";

static const char user[] =
	"0103616e6e076e6574666c6f770561646d696e000102030405060708090a0b0c0d0e0f10"
	"1112131415161718191a1b1c1d1e1f03000000000000000000ca67a7fc7a18af75d21020"
	"29f4ef";

static const char mark[] =
	"010000000000000002010000000000004d0000000000000040e2010000000000b3851254"
	"fea7b832";
// clang-format on

// The bytes that a text names, in a heap block of their size.
static struct bytes bytes_of(const char *hex)
{
	struct bytes b = {.len = strlen(hex) / 2};
	b.p = malloc(b.len);
	assert_non_null(b.p);
	for (size_t i = 0; i < b.len; i++) {
		unsigned byte;
		assert_int_equal(sscanf(hex + 2 * i, "%2x", &byte), 1);
		b.p[i] = (uint8_t)byte;
	}
	return b;
}

static struct addr v4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
	const uint8_t bytes[4] = {a, b, c, d};
	return addr_of_v4(bytes);
}

static struct record_batch *rows_8(void)
{
	static const char *const names[] = {"a.example", "", "b.example", "a.example"};
	struct record_batch *b = record_batch_create(8);
	for (uint32_t i = 0; i < 8; i++) {
		const char *name = names[i % 4];
		struct record r = {0};
		RECORD_SET(&r, start_ns, START_NS + i * 7 * NS_PER_MSEC);
		RECORD_SET(&r, end_ns, r.start_ns + (i == 5 ? 90 : i) * NS_PER_SEC);
		RECORD_SET(&r, src, v4(10, 0, 0, (uint8_t)(i % 3)));
		RECORD_SET(&r, dst, v4(192, 0, 2, 1));
		RECORD_SET(&r, proto, i % 2 ? 17 : 6);
		RECORD_SET(&r, sport, (uint16_t)(40000 + i * i * 100));
		RECORD_SET(&r, dport, 443);
		RECORD_SET(&r, packets, i == 3 ? 1000000 : i + 1);
		RECORD_SET(&r, bytes, 100 * (i + 1));
		RECORD_SET(&r, src_mac, ((struct record_mac){{2, 0, 0, 0, 0, (uint8_t)i}}));
		RECORD_SET(&r, server_name, ((struct record_str){name, (uint16_t)strlen(name)}));
		RECORD_SET(&r, verdict, i == 7);
		assert_int_equal(record_batch_add(b, &r), 0);
	}
	return b;
}

static struct record_batch *rows_64(void)
{
	struct record_batch *b = record_batch_create(64);
	for (uint32_t i = 0; i < 64; i++) {
		uint8_t k = (uint8_t)(i % 3);
		uint8_t v6[16] = {
			0x20, 1, 13, 0xb8, 0, k, 0, 0, (uint8_t)(k * 77), 0, 0, 0, 0, 0, 0, k + 1};
		struct record r = {0};
		RECORD_SET(&r, start_ns, START_NS + i * NS_PER_SEC);
		RECORD_SET(&r, end_ns, r.start_ns + i % 5 * NS_PER_SEC);
		RECORD_SET(&r, recv_ns, START_NS + 123456789 + i % 7 * 1000003ull);
		RECORD_SET(&r, src, addr_of_v6(v6));
		RECORD_SET(&r, app_id, k * 0x123456789abcdef + 5);
		assert_int_equal(record_batch_add(b, &r), 0);
	}
	return b;
}

static void a_journal_block_is_read(void **state)
{
	struct record_batch *want = rows_8(), *got = record_batch_create(8);
	struct column_rows rows = {want, NULL, 8};
	struct bytes b = bytes_of(journal_block);
	struct column_coder coder;
	(void)state;
	column_init(&coder);
	assert_int_equal(block_decode(&coder, b.p, b.len, ~0ull, got), 0);
	assert_int_equal(got->n_rows, 8);
	for (int f = 0; f < RECORD_N_FIELDS; f++)
		columns_assert_equal(&rows, (enum record_field)f, got);
	column_fini(&coder);
	bytes_fini(&b);
	record_batch_free(want);
	record_batch_free(got);
}

static void a_summary_is_read(void **state)
{
	struct block_summary got, want = {
					  .n_rows = 8,
					  .n_denied = 1,
					  .start_min = START_NS,
					  .start_max = START_NS + 49 * NS_PER_MSEC,
					  .fields = 0x44008000cfb,
					  .len = 286,
				  };
	struct bytes b = bytes_of(summary);
	(void)state;
	assert_int_equal(block_summary_decode(b.p, b.len, &got), 0);
	assert_memory_equal(&got, &want, sizeof(got));
	bytes_fini(&b);
}

// Frees the rows wanted.
static void check_columns(struct record_batch *want, const struct column_value *columns, size_t n)
{
	struct column_rows rows = {want, NULL, want->n_rows};
	struct record_batch *got = record_batch_create(want->n_rows);
	struct column_coder coder;
	column_init(&coder);
	for (size_t i = 0; i < n; i++) {
		struct bytes b = bytes_of(columns[i].hex);
		struct buf in = buf_of(b.p, b.len);
		int ret = block_column_decode(&coder, in, columns[i].field, got, rows.n, false);
		assert_int_equal(ret, 0);
		columns_assert_equal(&rows, columns[i].field, got);
		bytes_fini(&b);
	}
	assert_int_equal(got->used, want->used);
	column_fini(&coder);
	record_batch_free(want);
	record_batch_free(got);
}

static void columns_of_all_forms_are_read(void **state)
{
	(void)state;
	check_columns(rows_8(), columns_of_8, sizeof(columns_of_8) / sizeof(columns_of_8[0]));
	check_columns(rows_64(), columns_of_64, sizeof(columns_of_64) / sizeof(columns_of_64[0]));
}

static void an_hour_is_read(void **state)
{
	struct table_hour got = {0}, want = {
					     .totals = {8, 1000035, 3600, 1},
					     .n_blocks = 2,
					     .n_protos = 2,
					     .protos = {{6, 4, 16, 1600}, {17, 4, 1000019, 2000}},
				     };
	struct bytes b = bytes_of(hour);
	(void)state;
	assert_int_equal(table_hour_decode((struct slice){b.p, b.len}, &got), 0);
	assert_memory_equal(&got, &want, sizeof(got));
	bytes_fini(&b);
}

static void check_index(struct ints_coder *c, const struct rollup_host *want)
{
	struct table_index *x = calloc(1, sizeof(*x));
	struct bytes i = bytes_of(index_part);
	assert_int_equal(table_index_decode(c, (struct slice){i.p, i.len}, false, x), 0);
	assert_int_equal(x->n, 3);
	for (int k = 0; k < 3; k++) {
		struct buf addr = buf_of(want[k].addr.b, 16);
		assert_int_equal(x->hi[k], buf_u64(&addr));
		assert_int_equal(x->lo[k], buf_u64(&addr));
	}
	bytes_fini(&i);
	free(x);
}

static void names_are_read(void **state)
{
	static const char *const want[] = {"ten.elpmaxe", "ten.elpmaxe-x", "ten.elpmaxe.www"};
	struct table_names *t = calloc(1, sizeof(*t));
	struct bytes b = bytes_of(names_part);
	(void)state;
	assert_int_equal(name_table_decode((struct slice){b.p, b.len}, t), 0);
	assert_int_equal(t->n, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(t->len[i], strlen(want[i]));
		assert_memory_equal(t->text + t->off[i], want[i], t->len[i]);
	}
	bytes_fini(&b);
	free(t);
}

static void hosts_and_ports_are_read(void **state)
{
	const struct rollup_host want_hosts[] = {
		{v4(10, 0, 0, 1), 1, 2, 3, 4, 5, 6, 7},
		{v4(10, 0, 0, 2), 10, 20, 300, 0, 0, 0, 0},
		{v4(10, 0, 0, 9), 0, 0, 0, 1, 1, 40, 1},
	};
	const struct rollup_port want_ports[] = {
		{53, 6, 1, 2, 3}, {443, 6, 100, 2000, 300000}, {53, 17, 7, 7, 700}};
	struct rollup_host *got_hosts = calloc(TABLE_HOSTS, sizeof(*got_hosts));
	struct rollup_port *got_ports = calloc(TABLE_PORTS, sizeof(*got_ports));
	struct bytes h = bytes_of(hosts), p = bytes_of(ports);
	struct ints_coder coder;
	uint32_t n = 0;
	(void)state;
	ints_init(&coder);
	assert_int_equal(table_hosts_decode(&coder, (struct slice){h.p, h.len}, got_hosts, &n), 0);
	assert_int_equal(n, 3);
	assert_memory_equal(got_hosts, want_hosts, sizeof(want_hosts));
	check_index(&coder, want_hosts);
	assert_int_equal(table_ports_decode(&coder, (struct slice){p.p, p.len}, got_ports, &n), 0);
	assert_int_equal(n, 3);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(got_ports[i].port, want_ports[i].port);
		assert_int_equal(got_ports[i].proto, want_ports[i].proto);
		assert_int_equal(got_ports[i].flows, want_ports[i].flows);
		assert_int_equal(got_ports[i].packets, want_ports[i].packets);
		assert_int_equal(got_ports[i].bytes, want_ports[i].bytes);
	}
	ints_fini(&coder);
	free(got_hosts);
	free(got_ports);
	bytes_fini(&h);
	bytes_fini(&p);
}

static void a_user_is_read(void **state)
{
	struct store_user got, want = {
				       .api_id = "00ff",
				       .name = "ann",
				       .entity = "netflow",
				       .role = "admin",
				       .generation = 3,
				       .created_ns = START_NS,
			       };
	struct bytes b = bytes_of(user);
	(void)state;
	for (int i = 0; i < STORE_SECRET_HASH; i++)
		want.secret_hash[i] = (uint8_t)i;
	struct slice key = {"U\1\60\60ff", 6};
	assert_int_equal(user_decode(key, (struct slice){b.p, b.len}, &got), 0);
	assert_memory_equal(&got, &want, sizeof(got));
	bytes_fini(&b);
}

static void a_commit_mark_is_read(void **state)
{
	struct commit_mark got, want = {.next_number = 258, .commits = 77, .rows = 123456};
	struct bytes b = bytes_of(mark);
	(void)state;
	assert_int_equal(witness_mark_decode(b.p, b.len, &got), 0);
	assert_memory_equal(&got, &want, sizeof(got));
	bytes_fini(&b);
}

static void an_entity_is_read(void **state)
{
	static const uint8_t number[2] = {5, 0};
	char dir[64], path[80], error[STORE_ERROR_LEN];
	struct store_options options = {.dir = dir};
	struct store *store;
	struct db *db;
	(void)state;
	rows_dir(dir);
	snprintf(path, sizeof(path), "%s/db", dir);
	assert_int_equal(db_open(path, 32 << 20, DB_WAL_STRICT, &db, error), 0);
	struct db_batch *b = db_batch_create();
	db_batch_put(b, (struct slice){"E\1lentor", 8}, (struct slice){number, sizeof(number)});
	assert_int_equal(db_write(db, b, true, error), 0);
	db_batch_free(b);
	db_close(db);
	assert_int_equal(store_open(&options, &store, error), 0);
	assert_int_equal(store_entity(store, "lentor"), 5);
	assert_int_equal(store_entity(store, "next"), 6);
	store_close(store);
	rows_dir_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_entity_is_read),
		cmocka_unit_test(a_journal_block_is_read),
		cmocka_unit_test(a_summary_is_read),
		cmocka_unit_test(columns_of_all_forms_are_read),
		cmocka_unit_test(an_hour_is_read),
		cmocka_unit_test(hosts_and_ports_are_read),
		cmocka_unit_test(names_are_read),
		cmocka_unit_test(a_user_is_read),
		cmocka_unit_test(a_commit_mark_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
