// SPDX-License-Identifier: Apache-2.0
#pragma once

// The collector's ledger as a command sees it: what it said before something was sent, and what it
// says after.
// Thread: any that may block.

#include "collector/ledger.h"

struct account {
	uint64_t v[LEDGER_N];
	int64_t in_flight; // records decoded, neither stored nor dropped yet
};

// Asks over the control socket. 0, or -errno with the words in `error`.
[[nodiscard]] int
account_ask(const char *control, struct account *ret_account, char error[static 256]);

// By how much a counter has grown.
uint64_t
account_grown(const struct account *before, const struct account *after, enum ledger_id id);

// What is waited for: that since `before` the counter has grown by `n`.
struct account_goal {
	const struct account *before;
	enum ledger_id id;
	uint64_t n;
};

// Waits for the goal, and until what was in flight then has been settled. 0 with the ledger of that
// moment; -ETIMEDOUT when nothing moved for a while (it is given all the same); or -errno with the
// words in `error`.
[[nodiscard]] int account_wait(
	const char *control,
	const struct account_goal *goal,
	struct account *ret_account,
	char error[static 256]
);
