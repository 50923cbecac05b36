// SPDX-License-Identifier: Apache-2.0
#pragma once

// `weir import FILE|DIR...`: nfdump files and captures of NetFlow and IPFIX into the store of a
// running collector, and proof by its ledger that everything arrived.
// Thread: control.

// argv[0] is "import". The exit status.
int import_main(int argc, char **argv);
