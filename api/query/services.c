// SPDX-License-Identifier: Apache-2.0
#include "api/query/services.h"

#include <stdlib.h>

struct service {
	uint16_t port;
	const char *label;
};

static const struct service services[] = {
#define SERVICE(port, label) {port, label},
#include "api/query/services.def"
#undef SERVICE
};

static int compare(const void *key, const void *entry)
{
	return (int)*(const uint16_t *)key - (int)((const struct service *)entry)->port;
}

const char *services_find(uint16_t port)
{
	const struct service *s =
		bsearch(&port,
			services,
			sizeof(services) / sizeof(services[0]),
			sizeof(services[0]),
			compare);
	return s ? s->label : "";
}
