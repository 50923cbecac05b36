// SPDX-License-Identifier: Apache-2.0
#pragma once

// cmocka with what it wants included before it.

#include <cmocka.h> // IWYU pragma: export

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
