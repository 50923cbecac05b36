// SPDX-License-Identifier: Apache-2.0
#include "sensor/inspect/note.h"

#include "lib/base/buf.h"

// Not inlined: GCC 12 at -O3 takes the place behind the buffer's end for one that is written.
static __attribute__((noinline)) void put_text(struct wbuf *w, const struct record_str *s)
{
	wbuf_u8(w, (uint8_t)s->len);
	if (s->len)
		wbuf_bytes(w, s->p, s->len);
}

size_t note_put(const struct note *n, uint8_t to[FLOW_EXTRA_MAX])
{
	struct wbuf w = wbuf_of(to, FLOW_EXTRA_MAX);
	wbuf_u64(&w, n->indicator);
	wbuf_u16(&w, n->score);
	wbuf_u8(&w, n->matched);
	wbuf_u16(&w, n->names_len);
	if (n->names_len)
		wbuf_bytes(&w, n->names, n->names_len);
	wbuf_u8(&w, n->type);
	if (n->type) {
		wbuf_u8(&w, n->severity);
		wbuf_u8(&w, n->confidence);
		for (int i = 0; i < NOTE_N_TEXTS; i++)
			put_text(&w, &n->texts[i]);
	}
	return w.full ? 0 : wbuf_len(&w);
}

bool note_get(const uint8_t *p, size_t len, struct note *ret_note)
{
	struct buf b = buf_of(p, len);
	struct note n = {};
	n.indicator = buf_u64(&b);
	n.score = buf_u16(&b);
	n.matched = buf_u8(&b);
	n.names_len = buf_u16(&b);
	n.names = buf_take(&b, n.names_len);
	n.type = buf_u8(&b);
	if (n.type) {
		n.severity = buf_u8(&b);
		n.confidence = buf_u8(&b);
		for (int i = 0; i < NOTE_N_TEXTS; i++) {
			uint8_t text_len = buf_u8(&b);
			const uint8_t *text = buf_take(&b, text_len);
			n.texts[i] = (struct record_str){(const char *)text, text_len};
		}
	}
	if (b.bad || buf_left(&b))
		return false;
	*ret_note = n;
	return true;
}
