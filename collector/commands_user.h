// SPDX-License-Identifier: Apache-2.0
#pragma once

// Commands about users and entities (collector/commands.h).
// Thread: control; several at once.

#include <jansson.h>

json_t *cmd_entity(void *ctx, json_t *args, char error[static 256]);
json_t *cmd_entity_list(void *ctx, json_t *args, char error[static 256]);
json_t *cmd_user_add(void *ctx, json_t *args, char error[static 256]);
json_t *cmd_user_list(void *ctx, json_t *args, char error[static 256]);
json_t *cmd_user_rotate(void *ctx, json_t *args, char error[static 256]);
json_t *cmd_user_del(void *ctx, json_t *args, char error[static 256]);
