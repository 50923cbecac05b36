// SPDX-License-Identifier: Apache-2.0
#pragma once

// Messages to one collector. Over TCP a send waits until the collector has room, and closing proves
// that it has read everything; datagrams are sent in groups, and nobody says what became of them.
// Thread: any one at a time; may block.

#include "lib/base/endpoint.h"

#include <stdint.h>

enum { SENDER_UDP, SENDER_TCP }; // struct endpoint.kind

#define SENDER_GROUP 32
#define SENDER_DATAGRAM_MAX 1400 // of those that are made here

struct sender;

// "udp:HOST:PORT" or "tcp:HOST:PORT" (tcp when the text names none); 0, -EINVAL or -EHOSTUNREACH.
[[nodiscard]] int sender_parse(const char *text, struct endpoint *ret_endpoint);

// Connects. 0, or -errno.
[[nodiscard]] int sender_open(const struct endpoint *to, struct sender **ret_sender);

// Sends a message, or keeps a small datagram until its group is full. 0, or -errno.
[[nodiscard]] int sender_send(struct sender *s, const uint8_t *message, size_t len);

// Sends the datagrams that were kept.
[[nodiscard]] int sender_flush(struct sender *s);

// Sends what is left and closes. 0 when, over TCP, the collector has read everything and closed
// too; or -errno. Ends the sender either way.
[[nodiscard]] int sender_close(struct sender *s);

// Closes at once.
void sender_abandon(struct sender *s);
