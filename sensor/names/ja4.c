// SPDX-License-Identifier: Apache-2.0
#include "sensor/names/ja4.h"

#include "sensor/names/crypt.h"

#define PART_LEN 12	// characters of each hash
#define COUNTING_MIN 96 // numbers; a hostile list is sorted in linear time

static const char hex[] = "0123456789abcdef";

struct list {
	unsigned n;
	uint16_t v[JA4_LIST_MAX];
};

// Each number to the place that the number of smaller ones gives it: more comparisons than other
// ways take, but none that the processor could guess wrong, and several at a time.
static void sort_short(uint16_t *v, unsigned n)
{
	uint16_t out[COUNTING_MIN];
	for (unsigned i = 0; i < n; i++) {
		uint16_t x = v[i], place = 0;
		for (unsigned j = 0; j < i; j++)
			place = (uint16_t)(place + (v[j] <= x));
		for (unsigned j = i + 1; j < n; j++)
			place = (uint16_t)(place + (v[j] < x));
		out[place] = x;
	}
	memcpy(v, out, n * sizeof(*v));
}

// One pass of a radix sort, by eight bits.
static void sort_by_byte(const uint16_t *from, uint16_t *to, unsigned n, unsigned shift)
{
	unsigned at[256] = {0}, sum = 0;
	for (unsigned i = 0; i < n; i++)
		at[from[i] >> shift & 0xff]++;
	for (unsigned i = 0; i < 256; i++) {
		unsigned here = at[i];
		at[i] = sum;
		sum += here;
	}
	for (unsigned i = 0; i < n; i++)
		to[at[from[i] >> shift & 0xff]++] = from[i];
}

static void sort(struct list *l)
{
	uint16_t half[JA4_LIST_MAX];
	if (l->n < COUNTING_MIN) {
		sort_short(l->v, l->n);
		return;
	}
	sort_by_byte(l->v, half, l->n, 0);
	sort_by_byte(half, l->v, l->n, 8);
}

static bool list_add(struct list *l, uint16_t v)
{
	if (tls_is_grease(v))
		return true;
	if (l->n == JA4_LIST_MAX)
		return false;
	l->v[l->n++] = v;
	return true;
}

static bool take_numbers(struct buf b, struct list *ret_list)
{
	ret_list->n = 0;
	while (buf_left(&b) > 0) {
		if (!list_add(ret_list, buf_u16(&b)))
			return false;
	}
	return true;
}

// The types of extensions but for server name and ALPN, which count and are told of elsewhere.
static bool take_types(struct buf b, struct list *ret_list, unsigned *ret_n_all)
{
	unsigned n_left_out = 0;
	ret_list->n = 0;
	while (buf_left(&b) > 0) {
		uint16_t type = buf_u16(&b);
		buf_skip(&b, buf_u16(&b));
		if (type == TLS_EXT_SERVER_NAME || type == TLS_EXT_ALPN)
			n_left_out++;
		else if (!list_add(ret_list, type))
			return false;
	}
	*ret_n_all = ret_list->n + n_left_out;
	return true;
}

// "1301,1302".
static char *put_list(char *p, const struct list *l)
{
	for (unsigned i = 0; i < l->n; i++) {
		uint16_t v = l->v[i];
		if (i > 0)
			*p++ = ',';
		*p++ = hex[v >> 12];
		*p++ = hex[v >> 8 & 15];
		*p++ = hex[v >> 4 & 15];
		*p++ = hex[v & 15];
	}
	return p;
}

// A list of nothing is zeros rather than the hash of nothing.
static bool put_hash(const char *text, const char *end, char ret[PART_LEN])
{
	uint8_t digest[CRYPT_HASH_LEN];
	if (text == end) {
		memset(ret, '0', PART_LEN);
		return true;
	}
	if (!crypt_sha256(buf_of(text, (size_t)(end - text)), digest))
		return false;
	for (size_t i = 0; i < PART_LEN / 2; i++) {
		ret[2 * i] = hex[digest[i] >> 4];
		ret[2 * i + 1] = hex[digest[i] & 15];
	}
	return true;
}

static const char *version_text(uint16_t version)
{
	switch (version) {
	case 0x0304:
		return "13";
	case 0x0303:
		return "12";
	case 0x0302:
		return "11";
	case 0x0301:
		return "10";
	case 0x0300:
		return "s3";
	case 0x0002:
		return "s2";
	case 0xfeff:
		return "d1";
	case 0xfefd:
		return "d2";
	case 0xfefc:
		return "d3";
	default:
		return "00";
	}
}

static void put_count(char to[2], unsigned n)
{
	n = n < 99 ? n : 99;
	to[0] = (char)('0' + n / 10);
	to[1] = (char)('0' + n % 10);
}

static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

// First and last character of the first value; where they would be no letters or digits, the first
// and last digit of it in hexadecimal.
static void put_alpn(char to[2], struct buf alpn)
{
	size_t n = buf_left(&alpn);
	to[0] = to[1] = '0';
	if (n == 0)
		return;
	char first = (char)alpn.p[0], last = (char)alpn.p[n - 1];
	if (is_alphanumeric(first) && is_alphanumeric(last)) {
		to[0] = first;
		to[1] = last;
		return;
	}
	to[0] = hex[alpn.p[0] >> 4];
	to[1] = hex[alpn.p[n - 1] & 15];
}

static bool put_ciphers(const struct tls_hello *h, char ret_hash[PART_LEN], unsigned *ret_n)
{
	struct list l;
	char text[5 * JA4_LIST_MAX];
	if (!take_numbers(h->ciphers, &l))
		return false;
	*ret_n = l.n;
	sort(&l);
	return put_hash(text, put_list(text, &l), ret_hash);
}

// The signature algorithms stand in their own order.
static bool put_extensions(const struct tls_hello *h, char ret_hash[PART_LEN], unsigned *ret_n)
{
	struct list l;
	char text[2 * 5 * JA4_LIST_MAX], *end;
	if (!take_types(h->extensions, &l, ret_n))
		return false;
	sort(&l);
	end = put_list(text, &l);
	if (!take_numbers(h->signature_algorithms, &l))
		return false;
	if (end > text && l.n > 0)
		*end++ = '_';
	return put_hash(text, put_list(end, &l), ret_hash);
}

bool ja4_format(enum ja4_protocol protocol, const struct tls_hello *h, char ret[JA4_LEN])
{
	char out[JA4_LEN];
	unsigned n_ciphers, n_extensions;
	if (!put_ciphers(h, out + 11, &n_ciphers) || !put_extensions(h, out + 24, &n_extensions))
		return false;
	out[0] = (char)protocol;
	memcpy(out + 1, version_text(h->version), 2);
	out[3] = h->has_server_name ? 'd' : 'i';
	put_count(out + 4, n_ciphers);
	put_count(out + 6, n_extensions);
	put_alpn(out + 8, h->alpn);
	out[10] = out[23] = '_';
	memcpy(ret, out, sizeof(out));
	return true;
}
