// SPDX-License-Identifier: Apache-2.0

// Runs a fuzz target without libFuzzer: every seed of the corpus folder, then mutations of each
// from a fixed random sequence (bytes changed, cut, doubled), so that a run can be repeated.
// Usage: fuzz_NAME CORPUS_DIR [MUTATIONS_PER_SEED]

#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SEED_MAX 65536
#define MUTATIONS 500

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t random_state = 0x9e3779b97f4a7c15;

static uint64_t random_next(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

// The input is copied to memory of exactly its size, so that sanitizers see each byte too far.
static void run(const uint8_t *data, size_t len)
{
	uint8_t *exact = malloc(len ? len : 1);
	if (!exact)
		abort();
	memcpy(exact, data, len);
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
}

static void run_mutation(const uint8_t *seed, size_t len)
{
	static uint8_t data[2 * SEED_MAX];
	memcpy(data, seed, len);
	for (uint64_t n = 1 + random_next() % 4; n && len; n--) {
		size_t at = random_next() % len;
		switch (random_next() % 5) {
		case 0:
			data[at] = (uint8_t)random_next();
			break;
		case 1:
			data[at] ^= (uint8_t)(1u << random_next() % 8);
			break;
		case 2:
			data[at] = random_next() % 2 ? 0xff : 0;
			break;
		case 3:
			len = at;
			break;
		default:
			if (len <= SEED_MAX) {
				memmove(data + len, data + at, len - at);
				len += len - at;
			}
		}
	}
	run(data, len);
}

static int run_seed(const char *dir, const char *name, long mutations)
{
	static uint8_t seed[SEED_MAX];
	char path[4096];
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = fopen(path, "re");
	if (!f) {
		perror(path);
		return -1;
	}
	size_t len = fread(seed, 1, sizeof(seed), f);
	fclose(f);
	run(seed, len);
	for (long i = 0; i < mutations; i++)
		run_mutation(seed, len);
	return 0;
}

int main(int argc, char **argv)
{
	struct dirent **names;
	long mutations = argc > 2 ? strtol(argv[2], NULL, 10) : MUTATIONS;
	int seeds = 0, failed = 0;
	int n = argc > 1 ? scandir(argv[1], &names, NULL, alphasort) : -1;
	if (n < 0) {
		fprintf(stderr, "usage: %s CORPUS_DIR [MUTATIONS_PER_SEED]\n", argv[0]);
		return 2;
	}
	run((const uint8_t *)"", 0);
	for (int i = 0; i < n; i++) {
		if (names[i]->d_name[0] != '.') {
			failed |= run_seed(argv[1], names[i]->d_name, mutations) < 0;
			seeds++;
		}
		free(names[i]);
	}
	free(names);
	printf("%d seeds, %ld mutations each\n", seeds, mutations);
	return failed || seeds == 0; // an empty corpus tests nothing
}
