// SPDX-License-Identifier: Apache-2.0
#pragma once

// A body that is written while it is read: one thread writes, the event loop takes what there is
// and sends it. What waits is bounded; a writer learns that there is no room, or waits for it.
// Shared by the two; whoever lets go last frees it.
// Thread: any; one writer, one reader.

#include "api/query/stop.h"

#include <stddef.h>

struct stream;

// A writer may have so much on its way.
#define STREAM_CAP ((size_t)1 << 20)

// For the writer and the reader, one release each. NULL without memory.
struct stream *stream_create(void);
void stream_release(struct stream *s);

// Whole, or nothing of it: 0; -ENOBUFS: there is no room; -EPIPE: nobody reads any more.
[[nodiscard]] int stream_push(struct stream *s, const char *text, size_t len);

// Waits for room: 0; -EPIPE; -ETIMEDOUT: the reader has not taken anything for stall_ns;
// -ECANCELED.
[[nodiscard]] int stream_write(
	struct stream *s,
	const char *text,
	size_t len,
	uint64_t stall_ns,
	const struct query_stop *stop
);

// The writer's last word; with `ok` false the reader sees that something is missing.
void stream_end(struct stream *s, bool ok);

bool stream_is_closed(struct stream *s);

// The reader: `wake` is called, once for each stream_take that gave nothing, when there is more.
void stream_watch(struct stream *s, void (*wake)(void *ctx), void *ctx);

enum stream_state { STREAM_OPEN, STREAM_DONE, STREAM_BROKEN };

// Takes what waits: *ret_text is the reader's to free (NULL: nothing waits now). The state is that
// behind it.
enum stream_state stream_take(struct stream *s, char **ret_text, size_t *ret_len);

// Nobody reads any more; `wake` is not called again.
void stream_close(struct stream *s);
