// SPDX-License-Identifier: Apache-2.0

// What a domain remembers, and that it never remembers more than it may.

#include "lib/ipfix/domain.h"
#include "tests/unit/lib/ipfix/decode.h"

#include <stdlib.h>

// Learns a definition of n fields of one byte, the first of element `ie`.
static bool learn_in(struct ipfix_domain *d, uint16_t id, uint16_t ie, uint16_t n)
{
	static uint8_t fields[4 * 16];
	struct ipfix_template_head head = {.id = id, .n_fields = n};
	for (uint16_t i = 0; fields[3] == 0 && i < 16; i++)
		memcpy(fields + 4 * i, "\x01\x90\0\1", 4); // an element of no interest
	fields[0] = (uint8_t)(ie >> 8);
	fields[1] = (uint8_t)ie;
	return ipfix_domain_learn(d, &head, fields, 4u * n, now_ns);
}

static bool learn(uint16_t id, uint16_t ie)
{
	return learn_in(domain, id, ie, 1);
}

static bool is_known(uint16_t id)
{
	return ipfix_domain_find(domain, id, now_ns);
}

// Keeps a data set of n bytes, the first of them `mark`.
static void keep(uint16_t id, uint8_t mark, size_t n)
{
	static uint8_t data[65536];
	struct ipfix_message m = {.version = 10, .recv_ns = now_ns, .export_ns = NOW};
	data[0] = mark;
	ipfix_domain_keep(domain, &m, id, buf_of(data, n));
}

// The mark of the oldest set that waits for the template; -1: none does.
static int take(uint16_t id)
{
	struct ipfix_pending *p = ipfix_domain_take(domain, id);
	int mark = p ? p->data[0] : -1;
	if (p)
		ipfix_domain_drop(domain, p);
	return mark;
}

static void templates_are_found_by_their_whole_id(void **) // IP-4
{
	static const uint16_t ids[] = {256, 257, 511, 512, 0x1234, 65279, 65535};
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		assert_true(learn(ids[i], (uint16_t)(400 + i)));
	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
		const struct ipfix_template *t = ipfix_domain_find(domain, ids[i], now_ns);
		assert_int_equal(t->id, ids[i]);
		assert_int_equal(t->def[1], (400 + i) & 0xff);
	}
	assert_false(is_known(258));
	assert_false(is_known(0x1235));
}

static void domains_know_nothing_of_each_other(void **) // IP-12
{
	struct ipfix_domain *other = ipfix_domain_create(&domain->limits, &budget);
	assert_true(learn(256, 4));
	assert_true(learn_in(other, 256, 5, 1));
	const struct ipfix_template *a = ipfix_domain_find(domain, 256, now_ns),
				    *b = ipfix_domain_find(other, 256, now_ns);
	assert_int_equal(a->steps[0].target, FIELD_proto);
	assert_int_equal(b->steps[0].target, FIELD_tos);
	ipfix_domain_announce_sampling(other, true, 1, 10);
	assert_int_equal(ipfix_domain_sampling(domain, true, 1), 0);
	ipfix_domain_free(other);
	assert_true(is_known(256));
}

static void refresh_is_no_change(void **) // IP-17
{
	assert_true(learn(256, 4));
	const struct ipfix_template *t = ipfix_domain_find(domain, 256, now_ns);
	size_t used = budget.used;
	now_ns += NS_PER_SEC;
	assert_false(learn(256, 4));
	assert_ptr_equal(ipfix_domain_find(domain, 256, now_ns), t);
	assert_int_equal(t->seen_ns, now_ns);
	assert_int_equal(budget.used, used);
	assert_int_equal(domain->counts.templates, 1);
}

static void number_of_templates_is_capped(void **) // IP-26
{
	domain->limits.templates = 3;
	for (uint16_t id = 256; id < 266; id++)
		(void)learn(id, 4);
	assert_int_equal(domain->n_templates, 3);
	assert_int_equal(domain->counts.template_limit, 7);
	assert_true(is_known(258)); // those that were first stay in use
	(void)learn(258, 5);	    // and may change
	assert_int_equal(domain->n_templates, 3);
	assert_int_equal(domain->counts.templates, 4);
}

static void expired_templates_make_room(void **) // IP-18
{
	domain->limits.templates = 3;
	domain->limits.lifetime_ns = 10 * NS_PER_SEC;
	for (uint16_t id = 256; id < 259; id++)
		(void)learn(id, 4);
	now_ns += 5 * NS_PER_SEC;
	(void)learn(256, 4);
	assert_false(learn(300, 4));
	now_ns += 6 * NS_PER_SEC; // 257 and 258 are too old now
	assert_true(learn(300, 4));
	assert_true(learn(301, 4));
	assert_false(learn(302, 4));
	assert_true(is_known(256));
	assert_int_equal(domain->n_templates, 3);
}

static void number_of_fields_is_capped(void **) // IP-26
{
	domain->limits.fields = 2;
	assert_true(learn_in(domain, 256, 4, 2));
	assert_false(learn_in(domain, 256, 4, 3));
	assert_int_equal(domain->counts.template_limit, 1);
	assert_false(is_known(256)); // not what the exporter sends by any more
}

static void memory_is_capped(void **) // IP-26
{
	budget.max = budget.used + 5000;
	for (unsigned id = 256; id < 1280; id++)
		(void)learn_in(domain, (uint16_t)id, 4, 3);
	assert_true(budget.used <= budget.max);
	assert_true(domain->n_templates > 0);
	assert_int_equal(domain->n_templates + domain->counts.template_limit, 1024);
	budget.max = budget.used + sizeof(struct ipfix_domain) - 1;
	assert_null(ipfix_domain_create(&domain->limits, &budget));
	assert_true(budget.used <= budget.max);
}

// 1.2 million definitions, of ever new shapes, under ids that come again, in domains as many as a
// thread may hold: memory stays under the budget, and those that came first keep working.
static void flood_of_templates_stays_within_the_budget(void **) // IP-26
{
	enum { N_DOMAINS = 64, N_FLOOD = 1200000 };
	struct ipfix_domain *domains[N_DOMAINS];
	size_t most = 0;
	assert_true(learn(256, 4));
	budget.max = 4 << 20;
	for (int i = 0; i < N_DOMAINS; i++) {
		domains[i] = ipfix_domain_create(&domain->limits, &budget);
		assert_non_null(domains[i]);
	}
	for (unsigned i = 0; i < N_FLOOD; i++) {
		uint16_t id = (uint16_t)(256 + i / N_DOMAINS * 7919u % 4096);
		(void)learn_in(domains[i % N_DOMAINS], id, (uint16_t)(i % 400), 1 + i % 9);
		most = budget.used > most ? budget.used : most;
	}
	assert_true(most <= budget.max);
	for (int i = 0; i < N_DOMAINS; i++) {
		assert_true(domains[i]->n_templates <= domain->limits.templates);
		assert_true(domains[i]->counts.template_limit > 0);
		ipfix_domain_free(domains[i]);
	}
	assert_true(is_known(256));
}

static void waiting_data_comes_back_in_its_order(void **) // V9-5
{
	keep(256, 1, 4);
	keep(257, 2, 4);
	keep(256, 3, 4);
	keep(258, 4, 4);
	keep(256, 5, 4);
	assert_int_equal(take(256), 1);
	assert_int_equal(take(256), 3);
	assert_int_equal(take(258), 4);
	keep(257, 6, 4);
	assert_int_equal(take(256), 5);
	assert_int_equal(take(256), -1);
	assert_int_equal(take(257), 2);
	assert_int_equal(take(257), 6);
	assert_null(domain->pending);
	assert_int_equal(domain->pending_len, 0);
	keep(256, 7, 4); // the list's end was kept right
	assert_int_equal(take(256), 7);
}

static void waiting_data_is_bounded(void **) // IP-14
{
	for (int i = 0; i < 100; i++)
		keep(256, 1, 1000);
	assert_true(domain->pending_len <= domain->limits.pending_len);
	assert_int_equal(domain->counts.buffered + domain->counts.template_unknown, 100);
	assert_true(domain->counts.buffered > 50);
	keep(256, 1, 65531); // larger than all that may wait
	assert_int_equal(domain->counts.template_unknown, 101 - domain->counts.buffered);
}

static void number_of_waiting_sets_is_capped(void **) // IP-14, IP-26
{
	domain->limits.pending_len = 16 << 20;
	for (int i = 0; i < 3 * IPFIX_PENDING_MAX; i++)
		keep(256, 1, 1);
	assert_int_equal(domain->n_pending, IPFIX_PENDING_MAX);
	assert_int_equal(domain->counts.buffered, IPFIX_PENDING_MAX);
	assert_int_equal(domain->counts.template_unknown, 2 * IPFIX_PENDING_MAX);
	assert_int_equal(take(256), 1);
	keep(256, 2, 1);
	assert_int_equal(domain->n_pending, IPFIX_PENDING_MAX);
}

static void waiting_data_takes_of_the_budget(void **) // IP-14, IP-26
{
	budget.max = budget.used + 3000;
	for (int i = 0; i < 100; i++)
		keep(256, 1, 1000);
	assert_true(budget.used <= budget.max);
	assert_int_equal(domain->counts.buffered, 2);
	assert_int_equal(domain->counts.template_unknown, 98);
}

static void waiting_data_is_given_up(void **) // V9-5
{
	keep(256, 1, 4);
	now_ns += 30 * NS_PER_SEC;
	keep(256, 2, 4);
	ipfix_domain_tick(domain, NOW + 60 * NS_PER_SEC);
	assert_int_equal(domain->counts.template_unknown, 0); // to the last moment
	ipfix_domain_tick(domain, NOW + 60 * NS_PER_SEC + 1);
	assert_int_equal(domain->counts.template_unknown, 1);
	assert_int_equal(take(256), 2);
	ipfix_domain_tick(domain, NOW - 1); // a clock set back ends nothing
	keep(256, 3, 4);
	ipfix_domain_tick(domain, NOW - 1);
	assert_int_equal(take(256), 3);
}

static void withdrawal_ends_one_or_all_of_a_kind(void **) // IP-15
{
	struct ipfix_template_head options = {.id = 300, .n_fields = 2, .n_scope = 1};
	options.is_options = true;
	(void)learn(256, 4);
	(void)learn(257, 4);
	assert_true(ipfix_domain_learn(
		domain, &options, (const uint8_t *)"\0\225\0\4\0\042\0\4", 8, now_ns
	));
	ipfix_domain_withdraw(domain, 256);
	assert_false(is_known(256));
	ipfix_domain_withdraw(domain, 256); // again, and one never heard of
	ipfix_domain_withdraw(domain, 9999);
	assert_int_equal(domain->n_templates, 2);
	ipfix_domain_withdraw(domain, IPFIX_SET_TEMPLATE);
	assert_false(is_known(257));
	assert_true(is_known(300));
	ipfix_domain_withdraw(domain, IPFIX_SET_OPTIONS);
	assert_int_equal(domain->n_templates, 0);
}

static void reset_forgets_templates_and_options(void **) // V9-9
{
	size_t used = budget.used;
	(void)learn(256, 4);
	(void)learn(65535, 4);
	ipfix_domain_announce_sampling(domain, false, 0, 7);
	ipfix_domain_announce_sampling(domain, true, 1, 7);
	domain->system_init_ms = 5;
	ipfix_domain_reset(domain);
	assert_int_equal(budget.used, used);
	assert_int_equal(domain->n_templates, 0);
	assert_false(is_known(256));
	assert_int_equal(ipfix_domain_sampling(domain, true, 1), 0);
	assert_int_equal(ipfix_domain_sampling(domain, false, 0), 0);
	assert_int_equal(domain->system_init_ms, 0);
	assert_true(learn(256, 4));
}

static void rates_are_kept_by_sampler(void **) // SA-1
{
	assert_int_equal(ipfix_domain_sampling(domain, false, 0), 0);
	assert_int_equal(ipfix_domain_sampling(domain, true, 1), 0);
	ipfix_domain_announce_sampling(domain, true, 1, 100);
	assert_int_equal(ipfix_domain_sampling(domain, true, 1), 100);
	assert_int_equal(ipfix_domain_sampling(domain, true, 2), 0);
	assert_int_equal(ipfix_domain_sampling(domain, false, 0), 100); // the only one there is
	ipfix_domain_announce_sampling(domain, true, UINT64_MAX, 200);
	assert_int_equal(ipfix_domain_sampling(domain, false, 0), 0); // which of two?
	ipfix_domain_announce_sampling(domain, true, 1, 50);
	assert_int_equal(ipfix_domain_sampling(domain, true, 1), 50);
	ipfix_domain_announce_sampling(domain, false, 0, 9); // of the domain as such
	assert_int_equal(ipfix_domain_sampling(domain, false, 0), 9);
	assert_int_equal(ipfix_domain_sampling(domain, true, 3), 9);
	assert_int_equal(ipfix_domain_sampling(domain, true, UINT64_MAX), 200);
}

static void number_of_samplers_is_capped(void **) // IP-26
{
	for (uint64_t id = 0; id < 2 * IPFIX_SAMPLERS_MAX; id++)
		ipfix_domain_announce_sampling(domain, true, id, (uint32_t)id + 1);
	assert_int_equal(domain->n_samplers, IPFIX_SAMPLERS_MAX);
	assert_int_equal(
		ipfix_domain_sampling(domain, true, IPFIX_SAMPLERS_MAX - 1), IPFIX_SAMPLERS_MAX
	);
	assert_int_equal(ipfix_domain_sampling(domain, true, IPFIX_SAMPLERS_MAX), 0);
	ipfix_domain_announce_sampling(domain, true, 0, 77); // those known may change
	assert_int_equal(ipfix_domain_sampling(domain, true, 0), 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(templates_are_found_by_their_whole_id),
		TEST(domains_know_nothing_of_each_other),
		TEST(refresh_is_no_change),
		TEST(number_of_templates_is_capped),
		TEST(expired_templates_make_room),
		TEST(number_of_fields_is_capped),
		TEST(memory_is_capped),
		TEST(flood_of_templates_stays_within_the_budget),
		TEST(waiting_data_comes_back_in_its_order),
		TEST(waiting_data_is_bounded),
		TEST(number_of_waiting_sets_is_capped),
		TEST(waiting_data_takes_of_the_budget),
		TEST(waiting_data_is_given_up),
		TEST(withdrawal_ends_one_or_all_of_a_kind),
		TEST(reset_forgets_templates_and_options),
		TEST(rates_are_kept_by_sampler),
		TEST(number_of_samplers_is_capped),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
