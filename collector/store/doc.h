// SPDX-License-Identifier: Apache-2.0
#pragma once

// Small documents by kind and name: feeds and their status, the allow-list, hunts. The text is
// whatever the owner of the kind writes (JSON). A change is synced, and known to readers at once.
// Thread: put, del: any; reading by a view: its own.

#include "collector/store/read.h"
#include "collector/store/store.h"

enum doc_kind {
	DOC_FEED = 'f',
	DOC_FEED_STATUS = 's',
	DOC_ALLOW = 'a',
	DOC_INDICATOR = 'i',
	DOC_HUNT = 'h',
	DOC_AUDIT = 'u',
};

#define DOC_NAME_MAX 300 // bytes
#define DOC_TEXT_MAX (1u << 20)

struct doc {
	const char *name; // NUL-terminated; of the call that gives it
	const char *text; // likewise
	size_t len;
};

// 0, -EINVAL (name or text too long, or empty), or -errno. Replaces one that is there.
[[nodiscard]] int
store_doc_put(struct store *s, enum doc_kind kind, const char *name, const char *text, size_t len);

// 0, or -ENOENT, or -errno.
[[nodiscard]] int store_doc_del(struct store *s, enum doc_kind kind, const char *name);

// Calls fn for each document of the kind in order of name until it returns other than 0, which is
// returned; -EIO when one is damaged (the others were given).
[[nodiscard]] int store_doc_each(
	struct store *s, enum doc_kind kind, int (*fn)(void *ctx, const struct doc *d), void *ctx
);
[[nodiscard]] int store_view_doc_each(
	struct store_view *v,
	enum doc_kind kind,
	int (*fn)(void *ctx, const struct doc *d),
	void *ctx
);
