/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.h - answering GET and HEAD; the one place that knows the HTTP library
 *
 * Runs in the caller's poll loop, one thread, no locks. A page that is not ready yet makes its connection wait until
 * scaph_http_wake(); nothing else waits for anybody.
 */
#ifndef SCAPH_PROMETHEUS_HTTP_H
#define SCAPH_PROMETHEUS_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct scaph_http;

struct scaph_page {
	unsigned int status;
	const char *type; /* Content-Type */
	char *text; /* from malloc; freed by the server */
	size_t length;
};

struct scaph_site {
	void *context;
	/* Whether what is asked for can be answered now; else once more after scaph_http_wake(), and then it must. */
	bool (*ready)(void *context, const char *path);
	/* 0 and a page, or a negative errno: the connection is closed. @accept: the client's header, or NULL. */
	int (*page)(void *context, const char *path, const char *accept,
		    struct scaph_page *ret_page);
};

/**
 * scaph_http_new() - serve a site on a listening socket
 * @fd:   taken over on 0
 * @site: outlives the server
 *
 * Return:   0 or a negative errno.
 */
int scaph_http_new(int fd, const struct scaph_site *site, struct scaph_http **ret);

/* Closes the socket and every connection; NULL is allowed. */
void scaph_http_free(struct scaph_http *http);

/* To be polled for reading. */
int scaph_http_fd(const struct scaph_http *http);

/* When to call scaph_http_run() at the latest: ms from now, at most @most_ms. */
int scaph_http_timeout_ms(const struct scaph_http *http, int most_ms);

/* Do what there is to do; never blocks. */
void scaph_http_run(struct scaph_http *http);

/* Whether any connection waits for its page; all that do are asked again. */
bool scaph_http_waits(const struct scaph_http *http);
void scaph_http_wake(struct scaph_http *http);

#endif
