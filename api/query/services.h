// SPDX-License-Identifier: Apache-2.0
#pragma once

// Names of well-known ports, from services.def.
// Thread: any.

#include <stdint.h>

// "HTTPS" for 443; "" when the port has no name.
const char *services_find(uint16_t port);
