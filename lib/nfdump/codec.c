// SPDX-License-Identifier: Apache-2.0
#include "lib/nfdump/codec.h"

#include <bzlib.h>
#include <errno.h>
#include <lz4.h>
#include <lzo/lzo1x.h>
#include <stdlib.h>
#include <string.h>

#define BZ2_LEVEL 9 // as nfdump has it

static const char *const names[NFDUMP_N_CODECS] = {
	[NFDUMP_NONE] = "none",
	[NFDUMP_LZO] = "lzo",
	[NFDUMP_BZ2] = "bz2",
	[NFDUMP_LZ4] = "lz4",
};

int nfdump_codec_parse(const char *text, enum nfdump_codec *ret_codec)
{
	for (int i = 0; i < NFDUMP_N_CODECS; i++) {
		if (strcmp(text, names[i]) == 0) {
			*ret_codec = (enum nfdump_codec)i;
			return 0;
		}
	}
	return -EINVAL;
}

const char *nfdump_codec_name(enum nfdump_codec codec)
{
	return names[codec];
}

size_t nfdump_codec_bound(size_t len)
{
	// The largest of the three: LZO's len + len / 16 + 67, bzip2's len + 1 % + 600, LZ4's
	// len + len / 255 + 16.
	return len + len / 16 + 1024;
}

static int64_t lzo_compress(const uint8_t *from, size_t len, uint8_t *to)
{
	lzo_uint n = 0;
	void *scratch = malloc(LZO1X_1_MEM_COMPRESS);
	if (!scratch)
		return -ENOMEM;
	int ret = lzo1x_1_compress(from, len, to, &n, scratch);
	free(scratch);
	return ret == LZO_E_OK ? (int64_t)n : -EIO;
}

static int64_t lzo_decompress(const uint8_t *from, size_t len, uint8_t *to, size_t room)
{
	lzo_uint n = room;
	int ret = lzo1x_decompress_safe(from, len, to, &n, NULL);
	return ret == LZO_E_OK ? (int64_t)n : -EBADMSG;
}

// bzip2 takes what it only reads as char *.
static char *unconst(const uint8_t *p)
{
	char *q;
	memcpy(&q, &p, sizeof(q));
	return q;
}

static int64_t bz2_compress(const uint8_t *from, size_t len, uint8_t *to)
{
	unsigned n = (unsigned)nfdump_codec_bound(len);
	int ret = BZ2_bzBuffToBuffCompress(
		(char *)to, &n, unconst(from), (unsigned)len, BZ2_LEVEL, 0, 0
	);
	if (ret == BZ_OK)
		return n;
	return ret == BZ_MEM_ERROR ? -ENOMEM : -EIO;
}

static int64_t bz2_decompress(const uint8_t *from, size_t len, uint8_t *to, size_t room)
{
	unsigned n = (unsigned)room;
	int ret = BZ2_bzBuffToBuffDecompress((char *)to, &n, unconst(from), (unsigned)len, 0, 0);
	if (ret == BZ_OK)
		return n;
	return ret == BZ_MEM_ERROR ? -ENOMEM : -EBADMSG;
}

int64_t nfdump_codec_compress(enum nfdump_codec codec, const uint8_t *from, size_t len, uint8_t *to)
{
	int n;
	if (len > LZ4_MAX_INPUT_SIZE)
		return -EIO;
	switch (codec) {
	case NFDUMP_LZO:
		return lzo_compress(from, len, to);
	case NFDUMP_BZ2:
		return bz2_compress(from, len, to);
	case NFDUMP_LZ4:
		n = LZ4_compress_default(
			(const char *)from, (char *)to, (int)len, (int)nfdump_codec_bound(len)
		);
		return n > 0 ? n : -EIO;
	default:
		memcpy(to, from, len);
		return (int64_t)len;
	}
}

int64_t nfdump_codec_decompress(
	enum nfdump_codec codec, const uint8_t *from, size_t len, uint8_t *to, size_t room
)
{
	int n;
	if (len > LZ4_MAX_INPUT_SIZE || room > LZ4_MAX_INPUT_SIZE)
		return -EBADMSG;
	switch (codec) {
	case NFDUMP_LZO:
		return lzo_decompress(from, len, to, room);
	case NFDUMP_BZ2:
		return bz2_decompress(from, len, to, room);
	case NFDUMP_LZ4:
		n = LZ4_decompress_safe((const char *)from, (char *)to, (int)len, (int)room);
		return n >= 0 ? n : -EBADMSG;
	default:
		if (len > room)
			return -EBADMSG;
		memcpy(to, from, len);
		return (int64_t)len;
	}
}
