// SPDX-License-Identifier: Apache-2.0
#include "lib/doctor/doctor.h"
#include "tests/unit/lib/doctor/exam.h"

static void every_check_has_a_name_a_text_and_a_finding(void **state)
{
	struct exam *e = *state;
	for (const struct doctor_check *c = doctor_checks; c->name; c++) {
		assert_true(*c->name && *c->text && c->scope && c->run);
		for (const struct doctor_check *o = c + 1; o->name; o++)
			assert_string_not_equal(c->name, o->name);
		exam_run(e, c->name); // on a machine of which nothing can be read
		assert_true(e->d->n_findings >= 1);
		assert_ptr_equal(e->d->findings[0].check, c);
	}
}

static void what_is_not_ok_says_how_to_mend_it(void **state)
{
	struct exam *e = *state;
	exam_port(e, "0000:81:00.0");
	exam_vdev(e, "net_af_packet0,iface=none");
	e->needs.hugepage_len = 1 << 20;
	exam_begin(e);
	assert_int_equal(doctor_run(e->d, DOCTOR_SENSOR | DOCTOR_COLLECTOR), 0);
	assert_int_equal(doctor_status(e->d), DOCTOR_ERROR);
	for (size_t i = 0; i < e->d->n_findings; i++)
		assert_true(
			(e->d->findings[i].status == DOCTOR_OK) == (*e->d->findings[i].mend == '\0')
		);
}

static void errors_come_first(void **state)
{
	struct exam *e = *state;
	exam_port(e, "0000:81:00.0");
	e->needs.hugepage_len = 1 << 20;
	exam_begin(e);
	assert_int_equal(doctor_run(e->d, DOCTOR_SENSOR | DOCTOR_COLLECTOR), 0);
	for (size_t i = 1; i < e->d->n_findings; i++)
		assert_true(e->d->findings[i - 1].status >= e->d->findings[i].status);
}

static void scopes_choose_the_checks(void **state)
{
	struct exam *e = *state;
	exam_begin(e);
	assert_int_equal(doctor_run(e->d, DOCTOR_COLLECTOR), 0);
	for (size_t i = 0; i < e->d->n_findings; i++)
		assert_true(e->d->findings[i].check->scope & DOCTOR_COLLECTOR);
	exam_begin(e);
	assert_int_equal(doctor_run(e->d, DOCTOR_START), 0);
	for (size_t i = 0; i < e->d->n_findings; i++)
		assert_true(e->d->findings[i].check->scope & DOCTOR_SENSOR);
	exam_begin(e);
	assert_int_equal(doctor_run(e->d, 0), 0);
	assert_int_equal(e->d->n_findings, 0);
	assert_int_equal(doctor_status(e->d), DOCTOR_OK);
}

static void commands_stand_one_a_line_and_whole_or_not_at_all(void **state)
{
	struct exam *e = *state;
	char longest[DOCTOR_MEND_LEN];
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	exam_begin(e);
	doctor_mend(e->d, "nothing was found yet");
	doctor_found(e->d, DOCTOR_ERROR, "a");
	doctor_mend(e->d, "one %d", 1);
	doctor_mend(e->d, "two");
	doctor_mend(e->d, "%s", longest);
	doctor_mend(e->d, "three");
	assert_string_equal(e->d->findings[0].mend, "one 1\ntwo\nthree");
	doctor_found(e->d, DOCTOR_ERROR, "b");
	doctor_mend(e->d, "%s", longest);
	doctor_mend(e->d, "no room");
	assert_string_equal(e->d->findings[1].mend, longest);
}

static void statuses_have_names(void **)
{
	assert_string_equal(doctor_status_name(DOCTOR_OK), "ok");
	assert_string_equal(doctor_status_name(DOCTOR_WARNING), "warning");
	assert_string_equal(doctor_status_name(DOCTOR_ERROR), "error");
	doctor_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		exam_test(every_check_has_a_name_a_text_and_a_finding),
		exam_test(what_is_not_ok_says_how_to_mend_it),
		exam_test(errors_come_first),
		exam_test(scopes_choose_the_checks),
		exam_test(commands_stand_one_a_line_and_whole_or_not_at_all),
		cmocka_unit_test(statuses_have_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
