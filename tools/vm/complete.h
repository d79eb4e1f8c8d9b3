/* SPDX-License-Identifier: Apache-2.0 */
/*
 * complete.h - what an enabled domain lacks on its host, made again from its record alone
 */
#ifndef SCAPH_VM_COMPLETE_H
#define SCAPH_VM_COMPLETE_H

#include "tools/vm/session.h"

/*
 * Whether it runs is not known: nothing that is there is taken away. 0, also if it lacks nothing or another
 * command is to end first; or a negative errno after one line.
 */
int scaph_complete(struct scaph_session *session, void *context);

#endif
