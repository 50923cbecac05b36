// SPDX-License-Identifier: Apache-2.0
#include "api/http/head.h"
#include "tests/unit/cmocka.h"

#include <stdlib.h>
#include <string.h>

#define GET "GET / HTTP/1.1\r\n"
#define POST "POST / HTTP/1.1\r\nHost: a\r\n"
#define LENGTH "Content-Length: 5\r\n"
#define CHUNKED "Transfer-Encoding: chunked\r\n"

// Looks at a copy of exactly that length, so that a read behind it is seen.
static bool is_ambiguous(const char *text, size_t len)
{
	char *copy = malloc(len ? len : 1);
	assert_non_null(copy);
	memcpy(copy, text, len);
	bool ret = head_is_ambiguous(copy, len);
	free(copy);
	return ret;
}

static void check_all(const char *const *heads, size_t n, bool want)
{
	for (size_t i = 0; i < n; i++)
		if (is_ambiguous(heads[i], strlen(heads[i])) != want)
			fail_msg("%s: %s", want ? "taken" : "refused", heads[i]);
}

#define CHECK_ALL(heads, want) check_all(heads, sizeof(heads) / sizeof((heads)[0]), want)

static void one_length_or_none_is_clear(void **)
{
	static const char *const heads[] = {
		"",
		"\r\n",
		GET "\r\n",
		GET "Host: a\r\nAccept: */*\r\n\r\n",
		POST LENGTH "\r\n",
		POST CHUNKED "\r\n",
		POST "content-length:5\r\n\r\n",
		"\r\n" POST LENGTH "\r\nhello",
		"POST / HTTP/1.1\nHost: a\nContent-Length: 5\n\n",
		POST LENGTH, // the end is still to come
		POST "Content-Length"};
	CHECK_ALL(heads, false);
}

static void two_lengths_are_ambiguous(void **)
{
	static const char *const heads[] = {
		POST LENGTH LENGTH "\r\n", // even when they agree
		POST LENGTH "Content-Length: 6\r\n\r\n",
		POST LENGTH "Accept: */*\r\nContent-Length: 6\r\n\r\n",
		POST "content-length: 5\r\nCONTENT-LENGTH: 5\r\n\r\n",
		POST LENGTH CHUNKED "\r\n",
		POST CHUNKED LENGTH "\r\n",
		POST "TRANSFER-ENCODING: chunked\r\ncontent-length:0\r\n\r\n",
		POST CHUNKED CHUNKED "\r\n",
		POST CHUNKED "Transfer-Encoding: identity\r\n\r\n",
		POST "Content-Length:\r\nContent-Length:\r\n\r\n",
		"\r\n" POST LENGTH CHUNKED "\r\n", // behind an empty line
		"\n" POST LENGTH CHUNKED "\r\n",
		"POST / HTTP/1.1\nContent-Length: 5\nTransfer-Encoding: chunked\n\n",
		"POST / HTTP/1.1\r\nContent-Length: 5\nTransfer-Encoding: chunked\r\n\r\n",
		POST LENGTH CHUNKED,
		POST LENGTH "Transfer-Encoding:"};
	CHECK_ALL(heads, true);
}

// RFC 9112 §5.2: a server must refuse them or make blanks of them; libh2o does neither.
static void folded_lines_are_ambiguous(void **)
{
	static const char *const heads[] = {
		GET "A: 1\r\n 2\r\n\r\n",
		GET "A: 1\r\n\t2\r\n\r\n",
		GET " A: 1\r\n\r\n",
		GET "A: 1\n 2\n\n",
		POST "Transfer-Encoding:\r\n chunked\r\n\r\n",
		GET "A: 1\r\n \r\n\r\n",
		"\r\n" GET "\tA: 1\r\n\r\n"};
	CHECK_ALL(heads, true);
}

static void other_headers_do_not_count(void **)
{
	static const char *const heads[] = {
		POST LENGTH "X-Content-Length: 6\r\n\r\n",
		POST LENGTH "Content-Length-Hint: 6\r\n\r\n",
		POST LENGTH "Content-Lengths: 6\r\n\r\n",
		POST LENGTH "Content: Content-Length: 6\r\n\r\n",
		POST LENGTH "A: Transfer-Encoding: chunked\r\n\r\n",
		POST LENGTH "TE: trailers\r\n\r\n",
		"Content-Length: 5 HTTP/1.1\r\n\r\n"};
	CHECK_ALL(heads, false);
}

static void the_body_is_not_looked_at(void **)
{
	static const char *const heads[] = {
		POST LENGTH "\r\n" LENGTH CHUNKED,
		POST LENGTH "\n" LENGTH CHUNKED,
		POST CHUNKED "\r\n5\r\nhello\r\n0\r\n" CHUNKED "\r\n",
		POST LENGTH "\r\nhello" POST LENGTH "\r\nhello", // the next request is its own
		POST LENGTH "\r\n folded?"};
	CHECK_ALL(heads, false);
}

static void any_bytes_can_be_looked_at(void **)
{
	static const char alphabet[] = "\r\n\r\n :\tcontent-lengthTE\xff";
	char text[64];
	srand(1);
	for (int round = 0; round < 20000; round++) {
		size_t len = (size_t)rand() % sizeof(text);
		for (size_t i = 0; i < len; i++)
			text[i] = alphabet[(size_t)rand() % sizeof(alphabet)]; // its NUL too
		(void)is_ambiguous(text, len);
	}
	static const char with_nul[] = "A\r\nB: \0\r\nContent-Length:\r\nContent-Length:";
	assert_true(is_ambiguous(with_nul, sizeof(with_nul) - 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_length_or_none_is_clear),
		cmocka_unit_test(two_lengths_are_ambiguous),
		cmocka_unit_test(folded_lines_are_ambiguous),
		cmocka_unit_test(other_headers_do_not_count),
		cmocka_unit_test(the_body_is_not_looked_at),
		cmocka_unit_test(any_bytes_can_be_looked_at),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
