/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notify.h - what a service manager is told
 *
 * The main thread's alone. Without a manager that asked for it ($NOTIFY_SOCKET), or built without
 * libsystemd, nothing happens.
 */
#ifndef SCAPH_PRODUCER_NOTIFY_H
#define SCAPH_PRODUCER_NOTIFY_H

/* All is open and records come. */
void scaph_notify_ready(void);

/* The publisher has done something since this was said last; silence restarts the service. */
void scaph_notify_alive(void);

/* An ordered end begins. */
void scaph_notify_stopping(void);

/* One line of what it does now, for people. */
void scaph_notify_status(const char *line);

#endif
