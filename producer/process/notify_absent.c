/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify_absent.c - built without libsystemd: nobody is told
 */
#include "producer/process/notify.h"

void scaph_notify_ready(void)
{
}

void scaph_notify_alive(void)
{
}

void scaph_notify_stopping(void)
{
}

void scaph_notify_status(const char *line)
{
}
