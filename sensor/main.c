// SPDX-License-Identifier: Apache-2.0
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/base/notify.h"
#include "sensor/sensor.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum exit_status { EXIT_UNAVAILABLE = 69, EXIT_PERMISSION = 77 };

static int exit_status(int error)
{
	switch (-error) {
	case 0:
		return EXIT_SUCCESS;
	case EPERM:
	case EACCES:
		return EXIT_PERMISSION;
	case EINVAL:
		return CONFIG_EXIT_BAD;
	case EIO:
	case ENODATA:
		return EXIT_FAILURE;
	default:
		return EXIT_UNAVAILABLE;
	}
}

// The settings again, on SIGHUP: checked and told; they hold from the next start on. The files of
// indicators are read again.
static void check_again(struct sensor *s, int argc, char **argv)
{
	struct sensor_config fresh = {};
	notify_reloading();
	if (config_parse(&sensor_program, argc, argv, &fresh, NULL) == CONFIG_RUN)
		log_info("the settings are valid; they hold from the next start on");
	else
		log_err("the settings are not valid; nothing changes");
	config_free(&sensor_program, &fresh);
	sensor_reload(s);
	notify_ready();
}

// Until a signal ends the run, or with `once` the input.
static void
wait_for_end(struct sensor *s, bool once, int argc, char **argv, const sigset_t *signals)
{
	const struct timespec tick = {.tv_nsec = 5000000};
	struct notify_watchdog watchdog;
	notify_watchdog_init(&watchdog);
	while (!once || !sensor_ended(s)) {
		int sig = sigtimedwait(signals, NULL, &tick);
		if (sig == SIGINT || sig == SIGTERM)
			return;
		if (sig == SIGHUP)
			check_again(s, argc, argv);
		if (notify_watchdog_due(&watchdog, clock_mono_ns()) && sensor_goes_on(s))
			notify_alive();
	}
}

int main(int argc, char **argv)
{
	struct sensor_config config = {};
	struct sensor *sensor;
	struct summary sum;
	sigset_t signals;
	int rest;

	int status = config_parse(&sensor_program, argc, argv, &config, &rest);
	if (status != CONFIG_RUN) {
		config_free(&sensor_program, &config);
		return status;
	}
	log_open("weir-sensor", LOG_LEVEL_INFO);
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGHUP);
	signal(SIGPIPE, SIG_IGN);		// a write of TLS to a connection that is gone
	sigprocmask(SIG_BLOCK, &signals, NULL); // before any thread is made: all inherit it

	int ret = sensor_start(&config, argv + rest, &sensor);
	if (ret == 0) {
		notify_ready();
		wait_for_end(sensor, config.once, argc, argv, &signals);
		notify_stopping();
		ret = sensor_stop(sensor, &sum);
		char *text = summary_format(&sum);
		if (config.once)
			printf("%s\n", text ? text : "{}");
		else
			log_info("%s", text ? text : "{}");
		free(text);
	}
	config_free(&sensor_program, &config);
	return exit_status(ret);
}
