// SPDX-License-Identifier: Apache-2.0
#include "sensor/flow/flow.h"
#include "sensor/flow/tcp.h"
#include "tests/unit/cmocka.h"

static enum tcp_state after(enum tcp_state s, uint16_t flags, unsigned dir)
{
	return tcp_next(s, flags, dir);
}

static void a_fin_from_both_ends_closes_in_either_order(void **)
{
	for (unsigned first = 0; first < 2; first++) {
		enum tcp_state s = after(TCP_OPEN, TCP_FIN | TCP_ACK, first);
		assert_int_equal(s, first == FLOW_FORWARD ? TCP_FIN_FORWARD : TCP_FIN_REVERSE);
		assert_int_equal(after(s, TCP_FIN | TCP_ACK, !first), TCP_CLOSED);
	}
}

static void a_fin_sent_again_by_the_same_end_closes_nothing(void **)
{
	for (unsigned dir = 0; dir < 2; dir++) {
		enum tcp_state s = after(TCP_OPEN, TCP_FIN, dir);
		for (int i = 0; i < 5; i++)
			assert_int_equal(after(s, TCP_FIN | TCP_PSH | TCP_ACK, dir), s);
	}
}

static void a_reset_closes_whatever_was_before(void **)
{
	for (int s = 0; s < TCP_N_STATES; s++)
		for (unsigned dir = 0; dir < 2; dir++) {
			assert_int_equal(after((enum tcp_state)s, TCP_RST, dir), TCP_CLOSED);
			assert_int_equal(
				after((enum tcp_state)s, TCP_RST | TCP_FIN | TCP_SYN, dir),
				TCP_CLOSED
			);
		}
}

static void other_flags_change_nothing(void **)
{
	for (int s = 0; s < TCP_N_STATES; s++)
		for (uint16_t flags = 0; flags < 0x1000; flags++)
			if (!(flags & (TCP_FIN | TCP_RST)))
				assert_int_equal(
					after((enum tcp_state)s, flags, flags & 0x100 ? 1 : 0), s
				);
}

static void what_is_closed_stays_closed(void **)
{
	for (uint16_t flags = 0; flags < 0x40; flags++)
		for (unsigned dir = 0; dir < 2; dir++)
			assert_int_equal(after(TCP_CLOSED, flags, dir), TCP_CLOSED);
}

static void only_a_lone_syn_reopens_and_only_what_is_closed(void **)
{
	for (int s = 0; s < TCP_N_STATES; s++)
		for (uint16_t flags = 0; flags < 0x1000; flags++) {
			bool opens = flags & TCP_SYN && !(flags & (TCP_ACK | TCP_RST));
			assert_int_equal(
				tcp_reopens((enum tcp_state)s, flags), s == TCP_CLOSED && opens
			);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fin_from_both_ends_closes_in_either_order),
		cmocka_unit_test(a_fin_sent_again_by_the_same_end_closes_nothing),
		cmocka_unit_test(a_reset_closes_whatever_was_before),
		cmocka_unit_test(other_flags_change_nothing),
		cmocka_unit_test(what_is_closed_stays_closed),
		cmocka_unit_test(only_a_lone_syn_reopens_and_only_what_is_closed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
