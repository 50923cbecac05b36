// SPDX-License-Identifier: Apache-2.0
#pragma once

// The host of an HTTP/1 request (RFC 9112 §3.2): of an absolute or authority-form target, else of
// the Host field. Port, user information and the brackets of an IPv6 address are left out.
// Thread: any; keeps no state.

#include "lib/base/buf.h"
#include "sensor/names/look.h"
#include "sensor/names/result.h"

// A stream from its first byte on. Fills *ret_result from scratch. LOOK_NOTHING: no HTTP, or a
// request that names no host.
enum look http_parse(struct buf stream, struct names_result *ret_result);
