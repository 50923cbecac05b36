// SPDX-License-Identifier: Apache-2.0
#include "collector/store/seal.h"

#include "collector/store/changes.h"

#include <errno.h>

struct seal_sums {
	int64_t rows;
	uint64_t damaged_blocks, damaged_rows;
};

static int seal_hour(
	struct store *s,
	const struct key_parts *at,
	struct seal_sums *sums,
	char error[static STORE_ERROR_LEN]
)
{
	struct seal_pass p;
	do {
		p = (struct seal_pass){.store = s, .entity = at->entity, .hour = at->hour};
		int ret = seal_pass_run(&p, error);
		if (ret < 0)
			return ret;
		sums->rows += (int64_t)p.n_rows;
	} while (p.more && p.n_rows);
	// Each pass meets the same ones again: the last tells.
	sums->damaged_blocks += p.damaged_blocks;
	sums->damaged_rows += p.damaged_rows;
	return 0;
}

// The first hour of an entity at or after *at (entity, hour) with rows in the journal: 1 with it in
// *at, 0, or -errno.
static int next_hour(struct store *s, struct key_parts *at)
{
	struct key key = key_hour(KEY_ARRIVED, at->entity, at->hour);
	struct db_iter *it = db_iter_open(s->db, NULL, true);
	if (!it)
		return -ENOMEM;
	bool valid = db_iter_seek(it, key_slice(&key));
	int ret = valid && key_parse(db_iter_key(it), KEY_ARRIVED, at) ? 1 : db_iter_error(it);
	db_iter_close(it);
	return ret;
}

static bool is_over(const struct store *s, uint32_t hour, uint64_t now_ns)
{
	uint64_t end_ns = store_hour_start(hour) + NS_PER_HOUR;
	return end_ns + (uint64_t)s->options.seal_grace_ns < now_ns;
}

int64_t store_seal(struct store *s, uint64_t now_ns, bool all, char error[static STORE_ERROR_LEN])
{
	struct key_parts at = {0};
	struct seal_sums sums = {0};
	int ret, failed = 0;
	error[0] = 0;
	while ((ret = next_hour(s, &at)) > 0) {
		// An hour that cannot be sealed does not keep the others from it.
		if (all || is_over(s, at.hour, now_ns))
			ret = seal_hour(s, &at, &sums, error);
		failed = ret < 0 ? ret : failed;
		if (++at.hour == 0 && ++at.entity == 0)
			break;
	}
	if (sums.rows)
		changes_bump(s->changes_fd);
	if (ret < 0 || failed < 0) {
		ret = failed < 0 ? failed : ret;
		return error[0] ? ret : store_fail(ret, error, "seal: %s", strerror(-ret));
	}
	if (sums.damaged_blocks)
		return store_fail(
			-EIO,
			error,
			"%llu journal blocks (%llu rows) are damaged and stay where they are; "
			"%lld rows sealed",
			(unsigned long long)sums.damaged_blocks,
			(unsigned long long)sums.damaged_rows,
			(long long)sums.rows
		);
	return sums.rows;
}
