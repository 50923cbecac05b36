// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/lib/doctor/exam.h"

#define GIB (1ull << 30)

static uint64_t disk_free, disk_total;
static char asked[PATH_MAX];

static int false_statvfs(const char *path, struct statvfs *ret)
{
	snprintf(asked, sizeof(asked), "%s", path);
	if (disk_total == 0) {
		errno = EACCES;
		return -1;
	}
	*ret = (struct statvfs
	){.f_frsize = 4096, .f_bavail = disk_free / 4096, .f_blocks = disk_total / 4096};
	return 0;
}

static void look(struct exam *e, uint64_t free_len, uint64_t total)
{
	disk_free = free_len;
	disk_total = total;
	exam_begin(e);
	e->d->statvfs = false_statvfs;
	exam_check(e, "disk");
}

static void free_space_decides(void **state)
{
	struct exam *e = *state;
	e->needs.store_dir = "/var/lib/weir/store";
	look(e, 500 * GIB, 1000 * GIB);
	exam_only(e, DOCTOR_OK, "500.0 GiB free of 1000.0 (50 %)", NULL);
	look(e, 50 * GIB, 1000 * GIB);
	exam_only(e, DOCTOR_WARNING, "50.0 GiB free of 1000.0 (5 %): a full disk stops", "du -xh");
	look(e, 9 * GIB, 10 * GIB);
	exam_only(e, DOCTOR_WARNING, "9.0 GiB free of 10.0 (90 %)", "du -xh");
	look(e, GIB / 2, 10 * GIB);
	exam_only(e, DOCTOR_ERROR, "0.5 GiB free of 10.0 (5 %)", "du -xh");
}

static void of_a_store_to_come_the_nearest_folder_is_asked(void **state)
{
	struct exam *e = *state;
	char want[PATH_MAX];
	e->needs.store_dir = "/var/lib/weir/store";
	tree_dir(&e->t, "/var/lib");
	look(e, 500 * GIB, 1000 * GIB);
	snprintf(want, sizeof(want), "%s/var/lib", e->t.root);
	assert_string_equal(asked, want);
	tree_dir(&e->t, "/var/lib/weir/store");
	look(e, 500 * GIB, 1000 * GIB);
	snprintf(want, sizeof(want), "%s/var/lib/weir/store", e->t.root);
	assert_string_equal(asked, want);
}

static void a_folder_that_cannot_be_asked_is_an_error(void **state)
{
	struct exam *e = *state;
	e->needs.store_dir = "/var/lib/weir/store";
	look(e, 0, 0);
	exam_only(e, DOCTOR_ERROR, "Permission denied", "ls -ld /");
}

static void a_store_over_the_network_or_in_memory_is_told(void **state)
{
	struct exam *e = *state;
	e->needs.store_dir = "/data/store";
	tree_dir(&e->t, "/data/store");
	tree_file(
		&e->t,
		"/proc/mounts",
		"/dev/vda / ext4 rw 0 0\nserver:/x /data nfs4 rw 0 0\ntmpfs /dat tmpfs rw 0 0\n"
	);
	look(e, 500 * GIB, 1000 * GIB);
	exam_found(e, DOCTOR_OK, "500.0 GiB free", NULL);
	exam_found(e, DOCTOR_WARNING, "/data/store is on nfs4, over the network", "store: {dir:");
	tree_file(
		&e->t, "/proc/mounts", "/dev/vda / ext4 rw 0 0\ntmpfs /data/store tmpfs rw 0 0\n"
	);
	look(e, 500 * GIB, 1000 * GIB);
	exam_found(e, DOCTOR_WARNING, "is on tmpfs, in memory: gone", "store: {dir:");
	tree_file(&e->t, "/proc/mounts", "tmpfs / tmpfs rw 0 0\n/dev/vda /data ext4 rw 0 0\n");
	look(e, 500 * GIB, 1000 * GIB);
	exam_only(e, DOCTOR_OK, "500.0 GiB free", NULL);
}

static void without_a_store_nothing_is_asked(void **state)
{
	exam_run(*state, "disk");
	exam_only(*state, DOCTOR_OK, "no store", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		exam_test(free_space_decides),
		exam_test(of_a_store_to_come_the_nearest_folder_is_asked),
		exam_test(a_folder_that_cannot_be_asked_is_an_error),
		exam_test(a_store_over_the_network_or_in_memory_is_told),
		exam_test(without_a_store_nothing_is_asked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
