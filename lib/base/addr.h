// SPDX-License-Identifier: Apache-2.0
#pragma once

// IPv4 and IPv6 addresses as one type: 16 bytes in network order, IPv4 as ::ffff:a.b.c.d
// (RFC 4291 §2.5.5.2). Prefix lengths count from the first of the 128 bits; text shows IPv4 ones
// from 0 to 32.
// Thread: any.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define ADDR_TEXT_LEN 46 // with the final NUL

struct sockaddr;

struct addr {
	uint8_t b[16];
};

struct prefix {
	struct addr addr; // host bits are 0
	uint8_t len;	  // 0..128
};

static const uint8_t addr_v4_head[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// From four bytes in network order.
static inline struct addr addr_of_v4(const void *be)
{
	struct addr a;
	memcpy(a.b, addr_v4_head, sizeof(addr_v4_head));
	memcpy(a.b + 12, be, 4);
	return a;
}

// From sixteen bytes in network order.
static inline struct addr addr_of_v6(const void *be)
{
	struct addr a;
	memcpy(a.b, be, 16);
	return a;
}

static inline bool addr_is_v4(const struct addr *a)
{
	return memcmp(a->b, addr_v4_head, sizeof(addr_v4_head)) == 0;
}

static inline int addr_cmp(const struct addr *a, const struct addr *b)
{
	return memcmp(a->b, b->b, sizeof(a->b));
}

static inline bool addr_eq(const struct addr *a, const struct addr *b)
{
	return addr_cmp(a, b) == 0;
}

// The address of an AF_INET or AF_INET6 socket address; all zero for any other family.
struct addr addr_of_sockaddr(const struct sockaddr *sa);

// "192.0.2.1" or "2001:db8::1"; 0, or -EINVAL.
[[nodiscard]] int addr_parse(const char *text, struct addr *ret_addr);

// Writes the text form (IPv4-mapped as IPv4) and returns `text`.
const char *addr_format(const struct addr *a, char text[static ADDR_TEXT_LEN]);

// "10.0.0.0/8", "2001:db8::/32" or a lone address; 0, or -EINVAL (also when host bits are set).
[[nodiscard]] int prefix_parse(const char *text, struct prefix *ret_prefix);

bool prefix_contains(const struct prefix *p, const struct addr *a);
