// SPDX-License-Identifier: Apache-2.0
#pragma once

// Memory that is there, zero, once it is touched; in huge pages where the kernel grants them:
// beyond the reach of the TLB each packet costs a second miss without. Thread: control.

#include <stddef.h>
#include <sys/mman.h>

// NULL without memory.
static inline void *flow_map(size_t len)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED)
		return NULL;
	(void)madvise(p, len, MADV_HUGEPAGE); // without it, it is slower but right
	return p;
}

static inline void flow_unmap(void *p, size_t len)
{
	if (p)
		munmap(p, len);
}
