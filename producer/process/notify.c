/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify.c - the only user of libsystemd
 */
#include "producer/process/notify.h"

#include <stdio.h>
#include <systemd/sd-daemon.h>

/* A manager that does not listen is none: what is told is for it alone, and nothing depends on it. */
void scaph_notify_ready(void)
{
	(void)sd_notify(0, "READY=1");
}

void scaph_notify_alive(void)
{
	(void)sd_notify(0, "WATCHDOG=1");
}

void scaph_notify_stopping(void)
{
	(void)sd_notify(0, "STOPPING=1");
}

void scaph_notify_status(const char *line)
{
	(void)sd_notifyf(0, "STATUS=%s", line);
}
