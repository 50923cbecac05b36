// SPDX-License-Identifier: Apache-2.0
#pragma once

// What sessions over UDP know, kept over a restart: each as an entry with a checksum, found by its
// key when its exporter is heard again. An entry that is taken up is never looked at again.
// Thread: loaded by control; found by ingest threads; leftovers by whoever writes.

#include "collector/ingest/session.h"

#define KEPT_LEN_MAX ((size_t)16 << 20) // of all entries
#define KEPT_ENTRY_MAX ((size_t)1 << 20)
#define KEPT_VERSION 1

struct kept_entry;

struct kept_table {
	struct kept_entry *entries; // by key
	size_t n;
	uint32_t n_damaged; // entries that were left out
	uint8_t *bytes;	    // they point into it
};

// Reads entries; what is damaged is left out and counted. -EINVAL: of another version (none is
// read), -ENOMEM. Takes its own copy.
[[nodiscard]] int kept_init(struct kept_table *t, const void *bytes, size_t len);
void kept_fini(struct kept_table *t);

// The head of a file of entries.
void kept_head(struct wbuf *w);

// Adds an entry of a session, whole or not at all. Sessions over TCP, or that sent no record, have
// none.
void kept_put(struct wbuf *w, const struct session *s, uint64_t now_ns, uint64_t wall_ns);

// Gives a new session what was kept of it, if anything was. True: it was.
bool kept_take(struct kept_table *t, struct session *s, uint64_t now_ns, uint64_t wall_ns);

// Adds the entries that nobody took up, but those older than the lifetime.
void kept_put_rest(struct wbuf *w, struct kept_table *t, uint64_t lifetime_ns, uint64_t wall_ns);
