/* SPDX-License-Identifier: Apache-2.0 */
/*
 * confirm.h - a question before anything is done
 */
#ifndef SCAPH_VM_CONFIRM_H
#define SCAPH_VM_CONFIRM_H

#include <stdbool.h>

/**
 * scaph_confirm() - ask on the terminal, unless @yes
 *
 * Return:   0: go on; -ECANCELED after one line: not wanted, or nobody there to ask.
 */
int scaph_confirm(const char *question, bool yes);

#endif
