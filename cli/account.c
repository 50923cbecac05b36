// SPDX-License-Identifier: Apache-2.0
#include "cli/account.h"

#include "cli/progress.h"
#include "lib/base/clock.h"
#include "lib/base/control.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#define ASK_USEC 20000
#define STALL_NS (30 * NS_PER_SEC)

int account_ask(const char *control, struct account *ret_account, char error[static 256])
{
	json_t *answer;
	int ret = control_call(control, "ledger", NULL, &answer, error);
	if (ret < 0)
		return ret;
	json_t *counters = json_object_get(answer, "counters");
	json_t *drops = json_object_get(answer, "drops");
	*ret_account = (struct account){
		.in_flight = json_integer_value(json_object_get(counters, "in_flight")),
	};
	for (int id = 0; id < LEDGER_N; id++) {
		const struct ledger_info *info = &ledger_infos[id];
		json_t *v = json_object_get(info->is_drop ? drops : counters, info->name);
		ret_account->v[id] = (uint64_t)json_integer_value(v);
	}
	json_decref(answer);
	return 0;
}

uint64_t account_grown(const struct account *before, const struct account *after, enum ledger_id id)
{
	return after->v[id] > before->v[id] ? after->v[id] - before->v[id] : 0;
}

struct wait {
	const char *control;
	struct account last;
	uint64_t moved_ns; // when a counter last changed
};

// Asks again after a pause: 1 to go on, -ETIMEDOUT when nothing moves, or -errno.
static int ask_again(struct wait *w, char error[static 256])
{
	struct account now;
	usleep(ASK_USEC);
	if (progress_stopped()) {
		snprintf(error, 256, "interrupted");
		return -EINTR;
	}
	int ret = account_ask(w->control, &now, error);
	if (ret < 0)
		return ret;
	uint64_t now_ns = clock_mono_ns();
	if (now.v[LEDGER_stored] != w->last.v[LEDGER_stored] ||
	    now.v[LEDGER_messages] != w->last.v[LEDGER_messages])
		w->moved_ns = now_ns;
	w->last = now;
	return now_ns - w->moved_ns > STALL_NS ? -ETIMEDOUT : 1;
}

int account_wait(
	const char *control,
	const struct account_goal *goal,
	struct account *ret_account,
	char error[static 256]
)
{
	struct wait w = {.control = control, .moved_ns = clock_mono_ns()};
	int ret = account_ask(control, &w.last, error);
	while (ret >= 0 && account_grown(goal->before, &w.last, goal->id) < goal->n)
		ret = ask_again(&w, error);
	// Batches are committed in the order they were filled, about: what is in flight now is
	// settled when none is, or when as much more has been stored.
	struct account arrived = w.last;
	while (ret >= 0 && w.last.in_flight > 0 &&
	       account_grown(&arrived, &w.last, LEDGER_stored) < (uint64_t)arrived.in_flight)
		ret = ask_again(&w, error);
	if (ret >= 0 || ret == -ETIMEDOUT)
		*ret_account = w.last;
	return ret < 0 ? ret : 0;
}
