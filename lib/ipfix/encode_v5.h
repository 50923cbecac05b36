// SPDX-License-Identifier: Apache-2.0
#pragma once

// For encode.c: NetFlow v5, which has no templates, no IPv6 and 32 bits of every counter.
// Thread: the one that owns the encoder.

#include "lib/ipfix/encoder.h"

// The record, its times as uptimes, and its way back as another one. -EAFNOSUPPORT: not of IPv4.
// Counters that do not fit are told as the largest number.
[[nodiscard]] int encode_v5_add(struct ipfix_encoder *e, const struct record *r);

void encode_v5_header(const struct ipfix_encoder *e, struct wbuf *head, uint64_t now_ns);
