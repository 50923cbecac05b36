// SPDX-License-Identifier: Apache-2.0
#pragma once

// Records that come one by one over the control socket: what firewalls post to the API.
// Thread: control; several at once.

#include "lib/base/control_server.h"

// entity, firewall, service, direction ("inbound", "outbound"), src_ip, dst_ip, src_port, dst_port,
// proto, action ("Allow", "Deny"). Stored when it answers.
control_handler cmd_flow_post;
