// SPDX-License-Identifier: Apache-2.0

// The stored sums of an hour. Input: which of them (1), the value without its checksum. What can be
// decoded comes back the same when it is encoded and decoded again.

#include "collector/store/name_table.h"
#include "collector/store/table.h"
#include "tests/fuzz/stored.h"

#include <assert.h>
#include <errno.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int decode_hour(struct slice value, struct bytes *out)
{
	struct table_hour h = {}, again = {};
	int ret = table_hour_decode(value, &h);
	if (ret < 0)
		return ret;
	assert(table_hour_encode(&h, out) == 0);
	assert(table_hour_decode((struct slice){out->p, out->len}, &again) == 0);
	size_t len = out->len;
	assert(table_hour_encode(&again, out) == 0);
	assert(out->len == 2 * len && memcmp(out->p, out->p + len, len) == 0);
	return 0;
}

static int decode_hosts(struct ints_coder *c, struct slice value, struct bytes *out)
{
	static struct rollup_host hosts[TABLE_HOSTS], again[TABLE_HOSTS];
	static struct table_index index;
	uint32_t n, n_again;
	int ret_index = table_index_decode(c, value, true, &index);
	int ret = table_hosts_decode(c, value, hosts, &n);
	if (ret < 0)
		return ret;
	assert(table_hosts_encode(c, hosts, n, out) == 0);
	assert(table_hosts_decode(c, (struct slice){out->p, out->len}, again, &n_again) == 0);
	assert(n == n_again && memcmp(hosts, again, n * sizeof(*hosts)) == 0);
	assert(ret_index == 0 && n == index.n);
	for (uint32_t i = 0; i < n; i++) {
		struct buf addr = buf_of(hosts[i].addr.b, 16);
		assert(index.hi[i] == buf_u64(&addr));
		assert(index.lo[i] == buf_u64(&addr));
	}
	return 0;
}

static int decode_ports(struct ints_coder *c, struct slice value, struct bytes *out)
{
	static struct rollup_port ports[TABLE_PORTS], again[TABLE_PORTS];
	uint32_t n, n_again;
	int ret = table_ports_decode(c, value, ports, &n);
	if (ret < 0)
		return ret;
	assert(table_ports_encode(c, ports, n, out) == 0);
	assert(table_ports_decode(c, (struct slice){out->p, out->len}, again, &n_again) == 0);
	assert(n == n_again);
	for (uint32_t i = 0; i < n; i++)
		assert(ports[i].port == again[i].port && ports[i].bytes == again[i].bytes);
	return 0;
}

static int decode_index(struct ints_coder *c, struct slice value)
{
	static struct table_index index;
	int ret = table_index_decode(c, value, false, &index);
	assert(ret < 0 || (index.n && index.n <= TABLE_INDEX));
	return ret;
}

static int decode_names(struct slice value, struct bytes *out)
{
	static struct table_names t, again;
	struct names s = {};
	int ret = name_table_decode(value, &t);
	if (ret < 0)
		return ret;
	names_init(&s);
	for (uint32_t i = 0; i < t.n; i++)
		assert(names_add(&s, t.text + t.off[i], t.len[i]) == 0);
	names_sort(&s);
	assert(s.n == t.n && name_table_encode(&s, 0, t.n, out) == 0);
	assert(name_table_decode((struct slice){out->p, out->len}, &again) == 0);
	assert(memcmp(t.len, again.len, t.n) == 0);
	names_fini(&s);
	return 0;
}

static void decode(uint8_t which, const uint8_t *p, size_t len)
{
	struct slice value = {p, len};
	struct bytes out = {};
	struct ints_coder c;
	ints_init(&c);
	int ret = which % 5 == 0   ? decode_hour(value, &out)
		  : which % 5 == 1 ? decode_hosts(&c, value, &out)
		  : which % 5 == 2 ? decode_ports(&c, value, &out)
		  : which % 5 == 3 ? decode_index(&c, value)
				   : decode_names(value, &out);
	assert(ret == 0 || ret == -EIO);
	bytes_fini(&out);
	ints_fini(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	decode(*data, data + 1, size - 1);
	struct bytes value = stored_mend(data + 1, size - 1);
	decode(*data, value.p, value.len);
	bytes_fini(&value);
	return 0;
}
