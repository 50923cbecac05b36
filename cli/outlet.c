// SPDX-License-Identifier: Apache-2.0
#include "cli/outlet.h"

#include "lib/base/clock.h"
#include "lib/ipfix/wire.h"

#include <errno.h>
#include <time.h>

#define STREAM_MESSAGE_MAX 60000
#define TEMPLATES_NS (30 * NS_PER_SEC) // over UDP they are told again (RFC 7011 §8.4)
#define TURN_NS (2 * NS_PER_MSEC)      // shorter waits are saved up

int outlet_open(struct outlet *o, const struct outlet_options *options)
{
	*o = (struct outlet){.o = *options};
	o->is_stream = options->to->kind == SENDER_TCP;
	o->o.encoder.max_len = o->is_stream ? STREAM_MESSAGE_MAX : SENDER_DATAGRAM_MAX;
	int ret = ipfix_encoder_create(&o->o.encoder, &o->encoder);
	if (ret == 0)
		ret = sender_open(options->to, &o->sender);
	if (ret < 0)
		outlet_abandon(o);
	o->begin_ns = o->templates_ns = clock_mono_ns();
	return ret;
}

void outlet_abandon(struct outlet *o)
{
	ipfix_encoder_free(o->encoder);
	sender_abandon(o->sender);
	o->encoder = NULL;
	o->sender = NULL;
}

void outlet_sleep(uint64_t due_ns)
{
	struct timespec until = {(time_t)(due_ns / NS_PER_SEC), (long)(due_ns % NS_PER_SEC)};
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL);
}

// Waits until as many records as were sent may have been.
static int keep_pace(struct outlet *o)
{
	if (!o->o.rate)
		return 0;
	double sec = (double)o->n_sent / (double)o->o.rate;
	uint64_t due_ns = o->begin_ns + (uint64_t)(sec * (double)NS_PER_SEC);
	if (due_ns < clock_mono_ns() + TURN_NS)
		return 0;
	int ret = sender_flush(o->sender);
	outlet_sleep(due_ns);
	return ret;
}

static int send_templates(struct outlet *o, uint64_t at_ns)
{
	const uint8_t *message;
	uint64_t now_ns = clock_mono_ns();
	if (o->is_stream || now_ns - o->templates_ns < TEMPLATES_NS)
		return 0;
	o->templates_ns = now_ns;
	size_t len = ipfix_encoder_templates(o->encoder, at_ns, &message);
	return sender_send(o->sender, message, len);
}

static int send_message(struct outlet *o)
{
	const uint8_t *message;
	uint32_t n;
	// v9's times hang on the header's, which must be near those of the flows
	bool is_v9 = o->o.encoder.version == NETFLOW9_VERSION;
	uint64_t at_ns = is_v9 ? o->newest_ns : clock_now_ns();
	size_t len = ipfix_encoder_finish(o->encoder, at_ns, &message, &n);
	if (len == 0)
		return 0;
	int ret = sender_send(o->sender, message, len);
	if (ret < 0)
		return ret;
	o->n_sent += n;
	o->n_messages++;
	ret = send_templates(o, at_ns);
	o->newest_ns = 0;
	return ret < 0 ? ret : keep_pace(o);
}

int outlet_add(struct outlet *o, const struct record *r)
{
	int ret = ipfix_encoder_add(o->encoder, r);
	if (ret == -ENOSPC) {
		ret = send_message(o);
		if (ret == 0)
			ret = ipfix_encoder_add(o->encoder, r);
	}
	if (r->end_ns > o->newest_ns)
		o->newest_ns = r->end_ns;
	return ret;
}

int outlet_flush(struct outlet *o)
{
	int ret = send_message(o);
	return ret < 0 ? ret : sender_flush(o->sender);
}

int outlet_close(struct outlet *o)
{
	int ret = send_message(o);
	if (ret == 0) {
		ret = sender_close(o->sender);
		o->sender = NULL;
	}
	outlet_abandon(o);
	return ret;
}
