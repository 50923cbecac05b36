// SPDX-License-Identifier: Apache-2.0
#pragma once

// One check of the doctor on a false machine.

#include "lib/doctor/doctor.h"
#include "tests/unit/tree.h"

#define EXAM_LIST_MAX 4

struct exam {
	struct tree t;
	struct doctor_needs needs;
	char *ports[EXAM_LIST_MAX], *vdevs[EXAM_LIST_MAX], *listen[EXAM_LIST_MAX];
	struct doctor *d; // of the last exam_run
};

static inline void exam_port(struct exam *e, const char *bdf)
{
	e->ports[e->needs.ports.n++] = (char *)bdf;
	e->needs.ports.items = e->ports;
}

static inline void exam_vdev(struct exam *e, const char *vdev)
{
	e->vdevs[e->needs.vdevs.n++] = (char *)vdev;
	e->needs.vdevs.items = e->vdevs;
}

static inline void exam_listen(struct exam *e, const char *address)
{
	e->listen[e->needs.listen.n++] = (char *)address;
	e->needs.listen.items = e->listen;
}

static inline void exam_begin(struct exam *e)
{
	doctor_free(e->d);
	e->d = doctor_create(e->t.root, &e->needs);
	assert_non_null(e->d);
}

static inline void exam_check(struct exam *e, const char *name)
{
	for (const struct doctor_check *c = doctor_checks; c->name; c++)
		if (strcmp(c->name, name) == 0) {
			e->d->check = c;
			c->run(e->d);
			return;
		}
	fail_msg("no check %s", name);
}

static inline void exam_run(struct exam *e, const char *name)
{
	exam_begin(e);
	exam_check(e, name);
}

// The one finding of that status whose reason has these words; its commands have `mend`, or there
// are none when it is NULL.
static inline void
exam_found(const struct exam *e, enum doctor_status status, const char *reason, const char *mend)
{
	for (size_t i = 0; i < e->d->n_findings; i++) {
		const struct doctor_finding *f = &e->d->findings[i];
		if (f->status != status || !strstr(f->reason, reason))
			continue;
		if (!mend)
			assert_string_equal(f->mend, "");
		else if (!strstr(f->mend, mend))
			fail_msg("'%s' is not in '%s'", mend, f->mend);
		return;
	}
	for (size_t i = 0; i < e->d->n_findings; i++)
		print_error(
			"%s: %s\n",
			doctor_status_name(e->d->findings[i].status),
			e->d->findings[i].reason
		);
	fail_msg("no %s '%s'", doctor_status_name(status), reason);
}

// The same, and nothing else was found.
static inline void
exam_only(const struct exam *e, enum doctor_status status, const char *reason, const char *mend)
{
	exam_found(e, status, reason, mend);
	assert_int_equal(e->d->n_findings, 1);
}

static inline int exam_setup(void **state)
{
	struct exam *e = calloc(1, sizeof(*e));
	assert_non_null(e);
	tree_init(&e->t);
	e->needs.n_queues = 1;
	*state = e;
	return 0;
}

static inline int exam_teardown(void **state)
{
	struct exam *e = *state;
	doctor_free(e->d);
	tree_fini(&e->t);
	free(e);
	return 0;
}

#define exam_test(test) cmocka_unit_test_setup_teardown(test, exam_setup, exam_teardown)
