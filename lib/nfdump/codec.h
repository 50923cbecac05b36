// SPDX-License-Identifier: Apache-2.0
#pragma once

// The compressions of nfdump files, a block at a time: the home of liblz4, libbz2 and liblzo2.
// Thread: any; a writer brings its own scratch memory.

#include <stddef.h>
#include <stdint.h>

enum nfdump_codec {
	NFDUMP_NONE = 0,
	NFDUMP_LZO = 1,
	NFDUMP_BZ2 = 2,
	NFDUMP_LZ4 = 3,
	NFDUMP_N_CODECS,
};

// "none", "lzo", "bz2", "lz4": 0, or -EINVAL.
[[nodiscard]] int nfdump_codec_parse(const char *text, enum nfdump_codec *ret_codec);
const char *nfdump_codec_name(enum nfdump_codec codec);

// The most that `len` bytes can become.
size_t nfdump_codec_bound(size_t len);

// Compresses into `to`, which holds nfdump_codec_bound(len); the length, or -EIO, or -ENOMEM.
[[nodiscard]] int64_t
nfdump_codec_compress(enum nfdump_codec codec, const uint8_t *from, size_t len, uint8_t *to);

// Decompresses at most `room` bytes; the length, or -EBADMSG for bytes that are none of the
// codec's.
[[nodiscard]] int64_t nfdump_codec_decompress(
	enum nfdump_codec codec, const uint8_t *from, size_t len, uint8_t *to, size_t room
);
