// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor/needs.h"

#include "sensor/advice.h"

// As the program would, but for the checks of the whole: a machine may be looked at before there is
// anything to listen on.
static int read_settings(const struct config_program *program, const char *file, void *config)
{
	struct config_program p = *program;
	char name[] = "weir doctor", option[] = "-c";
	char *argv[] = {name, option, (char *)file, NULL};
	p.name = name;
	p.check = NULL;
	return config_parse(&p, file ? 3 : 1, argv, config, NULL);
}

int needs_init(struct needs *n, const char *file)
{
	*n = (struct needs){};
	int ret = read_settings(&sensor_program, file, &n->sensor);
	if (ret == CONFIG_RUN)
		ret = read_settings(&collector_program, file, &n->collector);
	if (ret != CONFIG_RUN)
		return ret;
	sensor_needs(&n->sensor, &n->doctor);
	n->doctor.store_dir = n->collector.store_dir;
	n->doctor.listen = n->collector.listen;
	n->doctor.rcvbuf = (uint64_t)n->collector.rcvbuf;
	return CONFIG_RUN;
}

void needs_fini(struct needs *n)
{
	config_free(&sensor_program, &n->sensor);
	config_free(&collector_program, &n->collector);
}
