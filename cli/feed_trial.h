// SPDX-License-Identifier: Apache-2.0
#pragma once

// `weir feeds test`: what the collector would make of a feed, told without one.
// Thread: control.

#include "cli/output.h"

// words: a file, directory or https URL, then settings as `feeds add` takes them. Shows the format
// found, what was counted, the first lines refused and the first `limit` indicators. The exit
// status: 0 when the collector would take the feed, else 1; 2 for words that are no settings.
int feed_trial(const char *const *words, int n, size_t limit, enum output_format format);
