// SPDX-License-Identifier: Apache-2.0

// GET /mbox/api/netflow/resolve: names of up to 20 addresses. What is no address is skipped, what
// is above 20 too, both without a word, as the clients of this route expect. Thread: worker.

#include "api/http/app.h"

#include <string.h>

#define ADDRS_MAX 20
#define WAIT_NS (2 * NS_PER_SEC)

struct wanted {
	size_t n;
	struct addr addrs[ADDRS_MAX];
	char texts[ADDRS_MAX][ADDR_TEXT_LEN]; // as asked for: the keys of the answer
};

static void want(struct wanted *w, const char *text, size_t len)
{
	char word[ADDR_TEXT_LEN];
	struct addr a;
	while (len > 0 && *text == ' ') {
		text++;
		len--;
	}
	while (len > 0 && text[len - 1] == ' ')
		len--;
	if (len == 0 || len >= sizeof(word))
		return;
	memcpy(word, text, len);
	word[len] = '\0';
	if (addr_parse(word, &a) < 0)
		return;
	for (size_t i = 0; i < w->n; i++)
		if (addr_eq(&w->addrs[i], &a))
			return;
	if (w->n == ADDRS_MAX)
		return;
	w->addrs[w->n] = a;
	memcpy(w->texts[w->n++], word, len + 1);
}

static json_t *names_json(struct call *c)
{
	const char *ips = query_find(&c->query, "ips");
	struct wanted w = {};
	char names[ADDRS_MAX][CACHE_NAME_LEN];

	while (ips && *ips && w.n < ADDRS_MAX) {
		size_t n = strcspn(ips, ",");
		want(&w, ips, n);
		ips += n;
		ips += *ips == ',';
	}
	resolver_lookup(c->app->resolver, w.addrs, w.n, WAIT_NS, names);
	json_t *result = json_object();
	for (size_t i = 0; i < w.n; i++)
		json_object_set_new(result, w.texts[i], json_string(names[i]));
	return result;
}

void resolve_get(struct call *c)
{
	response_ok(c->response, names_json(c));
}

// GET /api/v1/resolve
void names_get(struct call *c)
{
	json_t *names = names_json(c);
	response_json(c->response, 200, names ? json_pack("{s:o}", "names", names) : NULL);
}
