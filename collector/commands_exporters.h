// SPDX-License-Identifier: Apache-2.0
#pragma once

// Who sends, and how well: one object per session of the ingest, as of at most a second ago.
// Thread: control; several at once.

#include "lib/base/control_server.h"

// address (none: all), limit (4096). A list: address, port, transport, protocol (netflow, ipfix,
// sflow), domain, version, entity,
// packets, records, options, lost, reordered, duplicates, resets, templates, template_age_sec,
// sampling, clock_skew_ms, last_seen. Without a value: null.
control_handler cmd_exporters;
