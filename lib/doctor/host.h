// SPDX-License-Identifier: Apache-2.0
#pragma once

// The machine as files tell it: /sys, /proc and the little besides, all under a root that is "" but
// in tests. Nothing here writes. Paths are given as printf does.
// Thread: any.

#include "lib/base/cpulist.h"

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define HOST_TEXT_LEN 4096

// Reads a small file, without its last newline. 0, or -errno with "" in ret_text.
__attribute__((format(printf, 4, 5))) int
host_read(const char *root, char *ret_text, size_t len, const char *fmt, ...);

// A file that holds one number, in any base C knows. 0, or -errno.
__attribute__((format(printf, 3, 4))) int
host_number(const char *root, int64_t *ret_number, const char *fmt, ...);

// A file that holds a CPU list. 0, or -errno with an empty list.
__attribute__((format(printf, 3, 4))) int
host_cpus(const char *root, struct cpulist *ret_list, const char *fmt, ...);

// Where a symbolic link points to. 0, or -errno with "" in ret_target.
__attribute__((format(printf, 4, 5))) int
host_target(const char *root, char *ret_target, size_t len, const char *fmt, ...);

// The last part of that: /sys names drivers and groups so.
__attribute__((format(printf, 4, 5))) int
host_link(const char *root, char *ret_name, size_t len, const char *fmt, ...);

__attribute__((format(printf, 2, 3))) bool host_exists(const char *root, const char *fmt, ...);
__attribute__((format(printf, 2, 3))) DIR *host_opendir(const char *root, const char *fmt, ...);
__attribute__((format(printf, 2, 3))) FILE *host_fopen(const char *root, const char *fmt, ...);

// The next entry that is neither "." nor ".."; NULL at the end or without a folder.
struct dirent *host_readdir(DIR *dir);

// The value after "NAME:" in /proc/PID/status and its like; "" when it is not there.
void host_field(const char *text, const char *name, char *ret_value, size_t len);
