// SPDX-License-Identifier: Apache-2.0
#pragma once

// How many queries each user has under way, so that one cannot keep all workers to itself.
// Thread: any.

struct quota;

struct quota *quota_create(unsigned max_each); // NULL without memory
void quota_free(struct quota *q);

// One more. 0, or -EDQUOT when the user has as many as he may.
[[nodiscard]] int quota_begin(struct quota *q, const char *api_id);
void quota_end(struct quota *q, const char *api_id);
