// SPDX-License-Identifier: Apache-2.0
#pragma once

// Flows to NetFlow v1, v5, v7, v9, IPFIX and sFlow datagrams, written from the RFCs, Cisco's tables
// and sFlow's specification without the collector's code: what the collector reads is checked
// against a second opinion. Thread: the owner's.

#include "bench/gen/flow.h"
#include "lib/base/buf.h"

#define WIRE_MAX 1400

#define WIRE_SFLOW_HEADER 28

enum wire_proto { WIRE_V5, WIRE_V9, WIRE_IPFIX, WIRE_V1, WIRE_V7, WIRE_SFLOW };

// One exporter's stream.
struct wire {
	enum wire_proto proto;
	uint64_t boot_ms; // when its sysUptime was 0
	uint32_t domain;
	uint32_t n_records;   // sent before the message being built: v5's and IPFIX's sequence
	uint32_t n_messages;  // v9's sequence
	uint32_t n_flows;     // in the message being built
	uint32_t n_templates; // in it; v9's header counts them with the flows
	uint16_t set_id;      // of the open set; 0: none
	size_t set_at;
	struct wbuf w;
	uint8_t bytes[WIRE_MAX];
};

// Begins a message, with the templates in front when asked for.
void wire_open(struct wire *s, bool templates);

// Adds a flow; false: it does not fit, close the message first.
bool wire_add(struct wire *s, const struct flow *f);

// Ends the message of the time now_ms: its bytes are s->bytes. Returns its length.
size_t wire_close(struct wire *s, uint64_t now_ms);

// For wire.c: the record layouts; wire5 has v1 and v7, too.
bool wire5_add(struct wire *s, const struct flow *f);
void wire5_close(struct wire *s, uint64_t now_ms);
bool wire_sflow_add(struct wire *s, const struct flow *f);
void wire_sflow_close(struct wire *s, uint64_t now_ms);
bool wire9_add(struct wire *s, const struct flow *f);
void wire9_templates(struct wire *s);
void wire9_close(struct wire *s, uint64_t now_ms);
