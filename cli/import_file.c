// SPDX-License-Identifier: Apache-2.0
#include "cli/import_file.h"

#include "lib/base/clock.h"
#include "lib/nfdump/reader.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define UPDATE_ROWS 4096
#define VERSION_V5 5
#define VERSION_V9 9
#define VERSION_IPFIX 10

static void complain(struct importer *im, const struct input *input, const char *what)
{
	progress_end(&im->progress);
	fprintf(stderr, "weir import: %s: %s\n", input->path, what);
	im->n_bad_files++;
}

int importer_record(void *importer, const struct record *r)
{
	struct importer *im = importer;
	im->n_read++;
	if (!(r->set & (RECORD_BIT(src) | RECORD_BIT(dst)))) {
		tally_add(&im->tally, "skipped", "records without an address", 1);
		return 0;
	}
	return outlet_add(im->outlet, r);
}

static void tally_nfdump(struct importer *im, const struct nfdump_counts *c)
{
	tally_add(&im->tally, "skipped", "damaged blocks", c->bad_blocks);
	tally_add(&im->tally, "skipped", "missing blocks", c->missing_blocks);
	tally_add(&im->tally, "skipped", "damaged records", c->bad_records);
	tally_add(&im->tally, "other", "blocks of names", c->array_blocks);
	tally_add(&im->tally, "other", "exporters, samplers, names", c->other_records);
	for (unsigned i = 0; i < NFDUMP_N_ELEMENTS; i++)
		tally_add(&im->tally, "left out", nfdump_element_name(i), c->left[i]);
}

static int import_nfdump(struct importer *im, const struct input *input, int fd)
{
	struct nfdump_reader *reader;
	const char *what;
	struct record r;
	int ret = nfdump_reader_open(fd, &reader, &what), sent = 0;
	if (ret < 0) {
		complain(im, input, what);
		return ret == -ENOMEM ? ret : 0;
	}
	for (uint64_t n = 1; sent == 0 && (ret = nfdump_reader_next(reader, &r)) > 0; n++) {
		sent = importer_record(im, &r);
		if (n % UPDATE_ROWS)
			continue;
		progress_update(&im->progress, im->done + nfdump_reader_place(reader), im->n_read);
		if (progress_stopped())
			sent = -EINTR;
	}
	const struct nfdump_counts *c = nfdump_reader_counts(reader);
	tally_nfdump(im, c);
	if (ret < 0)
		complain(im, input, "cannot be read");
	else if (sent == 0 && c->bad_blocks + c->missing_blocks + c->bad_records)
		complain(im, input, "damaged; what could be read of it was sent");
	nfdump_reader_close(reader);
	return ret == -ENOMEM ? ret : sent;
}

// NetFlow v5, v9 or IPFIX, as far as the first bytes tell.
static bool is_export(const struct datagram *d)
{
	unsigned version = d->len >= 16 ? (unsigned)(d->data[0] << 8 | d->data[1]) : 0;
	return version == VERSION_V5 || version == VERSION_V9 || version == VERSION_IPFIX;
}

static int import_packet(struct importer *im, const struct pcapfile_packet *p)
{
	struct datagram d;
	enum datagram_reason reason = datagram_parse(p, &d);
	if (reason != DATAGRAM_OK) {
		tally_add(&im->tally, "packets", datagram_reason_text(reason), 1);
		return 0;
	}
	if (!is_export(&d)) {
		tally_add(&im->tally, "packets", "neither NetFlow nor IPFIX", 1);
		return 0;
	}
	im->n_datagrams++;
	return im->decoder ? decoder_take(im->decoder, &d, p->time_ns) : raw_send(im->raw, &d);
}

static int import_capture(struct importer *im, const struct input *input, int fd)
{
	struct pcapfile *f;
	struct pcapfile_packet p;
	const char *what;
	int ret = pcapfile_open(fd, &f, &what), sent = 0;
	if (ret < 0) {
		complain(im, input, what);
		return ret == -ENOMEM ? ret : 0;
	}
	for (uint64_t n = 1; sent == 0 && (ret = pcapfile_next(f, &p)) > 0; n++) {
		sent = import_packet(im, &p);
		if (n % (UPDATE_ROWS / 16))
			continue;
		uint64_t items = im->decoder ? im->n_read : im->n_datagrams;
		progress_update(&im->progress, im->done + pcapfile_place(f), items);
		if (progress_stopped())
			sent = -EINTR;
	}
	if (ret == -EBADMSG)
		complain(im, input, "cut or damaged; what stands before that was sent");
	else if (ret < 0)
		complain(im, input, "cannot be read");
	pcapfile_close(f);
	return sent;
}

int importer_file(struct importer *im, const struct input *input)
{
	int ret = 0, fd = open(input->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		complain(im, input, strerror(errno));
		return 0;
	}
	enum input_kind kind = input_kind_of(fd);
	im->n_files += kind != INPUT_UNKNOWN;
	if (kind == INPUT_NFDUMP)
		ret = import_nfdump(im, input, fd);
	else if (kind == INPUT_CAPTURE)
		ret = import_capture(im, input, fd);
	else if (input->is_found)
		tally_add(&im->tally, "other", "files that hold no flows", 1);
	else
		complain(im, input, "neither an nfdump file nor a capture");
	im->done += input->size;
	close(fd);
	return ret;
}
