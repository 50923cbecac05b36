// SPDX-License-Identifier: Apache-2.0
#pragma once

// What a look at the first bytes of a flow can end with; every parser of this folder returns it.
// Thread: any.

enum look {
	LOOK_FOUND,
	LOOK_MORE,     // right so far, but the rest is missing
	LOOK_NOTHING,  // another protocol, or nothing in it to take
	LOOK_BAD,      // breaks a rule of its protocol
	LOOK_TOO_LONG, // more bytes than are looked at
};
