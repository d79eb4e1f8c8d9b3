/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http.c - libmicrohttpd, polled from outside; its only user
 *
 * Source: libmicrohttpd(3), "External select", MHD_suspend_connection().
 */
#include "consumer/prometheus/http.h"

#include <errno.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS_MAX 64U /* a scraper needs one; whoever opens hundreds is to wait */
#define IDLE_S 15U
#define MEMORY_BYTES 16384U /* of one connection: request line and headers */

/* One request; lives from its first line to the end of its answer. */
struct request {
	struct scaph_http *http;
	struct MHD_Connection *connection;
	struct request *next;
	bool waiting; /* its connection is suspended */
	bool waited;
};

struct scaph_http {
	struct MHD_Daemon *daemon;
	const struct scaph_site *site;
	struct request *requests;
	int fd;
};

static const char refusal[] = "only GET and HEAD are answered here\n";

static enum MHD_Result send_page(struct MHD_Connection *connection, const struct scaph_page *page,
				 enum MHD_ResponseMemoryMode mode)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(page->length, page->text, mode);
	enum MHD_Result r;

	if (!response) {
		if (mode == MHD_RESPMEM_MUST_FREE)
			free(page->text);
		return MHD_NO;
	}
	MHD_add_response_header(response, "Content-Type", page->type);
	MHD_add_response_header(response, "Cache-Control", "no-store");
	MHD_add_response_header(response, "Vary", "Accept");
	MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
	MHD_add_response_header(response, "Content-Security-Policy",
				"default-src 'none'; style-src 'unsafe-inline'");
	if (page->status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, "Allow", "GET, HEAD");
	r = MHD_queue_response(connection, page->status, response);
	MHD_destroy_response(response);
	return r;
}

static enum MHD_Result refuse_method(struct MHD_Connection *connection)
{
	struct scaph_page page = {
		.status = MHD_HTTP_METHOD_NOT_ALLOWED,
		.type = "text/plain; charset=utf-8",
		.text = (char *)refusal,
		.length = sizeof(refusal) - 1,
	};

	return send_page(connection, &page, MHD_RESPMEM_PERSISTENT);
}

static struct request *begin_request(struct scaph_http *http, struct MHD_Connection *connection)
{
	struct request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	request->http = http;
	request->connection = connection;
	request->next = http->requests;
	http->requests = request;
	return request;
}

static enum MHD_Result handle(void *argument, struct MHD_Connection *connection, const char *path,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_bytes, void **request_of)
{
	struct scaph_http *http = argument;
	struct request *request = *request_of;
	struct scaph_page page;
	const char *accept;

	/* First the head of the request alone; an answer may only follow its end. */
	if (!request) {
		*request_of = begin_request(http, connection);
		return *request_of ? MHD_YES : MHD_NO;
	}
	if (*upload_bytes) {
		*upload_bytes = 0;
		return MHD_YES;
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
		return refuse_method(connection);
	if (!request->waited && !http->site->ready(http->site->context, path)) {
		request->waited = request->waiting = true;
		MHD_suspend_connection(connection);
		return MHD_YES;
	}
	accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
	if (http->site->page(http->site->context, path, accept, &page) < 0)
		return MHD_NO;
	return send_page(connection, &page, MHD_RESPMEM_MUST_FREE);
}

static void end_request(void *argument, struct MHD_Connection *connection, void **request_of,
			enum MHD_RequestTerminationCode code)
{
	struct scaph_http *http = argument;
	struct request *request = *request_of;

	for (struct request **at = &http->requests; request && *at; at = &(*at)->next) {
		if (*at == request) {
			*at = request->next;
			break;
		}
	}
	free(request);
	*request_of = NULL;
}

int scaph_http_new(int fd, const struct scaph_site *site, struct scaph_http **ret)
{
	struct scaph_http *http = calloc(1, sizeof(*http));
	const union MHD_DaemonInfo *info;

	if (!http)
		return -ENOMEM;
	http->site = site;
	http->daemon =
		MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, handle,
				 http, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
				 CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S,
				 MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)MEMORY_BYTES,
				 MHD_OPTION_NOTIFY_COMPLETED, end_request, http, MHD_OPTION_END);
	info = http->daemon ? MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (!info) {
		if (http->daemon)
			MHD_stop_daemon(http->daemon);
		free(http);
		return -EIO;
	}
	http->fd = info->epoll_fd;
	*ret = http;
	return 0;
}

void scaph_http_free(struct scaph_http *http)
{
	if (!http)
		return;
	scaph_http_wake(http);
	MHD_stop_daemon(http->daemon);
	free(http);
}

int scaph_http_fd(const struct scaph_http *http)
{
	return http->fd;
}

int scaph_http_timeout_ms(const struct scaph_http *http, int most_ms)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (MHD_get_timeout(http->daemon, &ms) != MHD_YES || ms > (unsigned int)most_ms)
		return most_ms;
	return (int)ms;
}

void scaph_http_run(struct scaph_http *http)
{
	MHD_run(http->daemon);
}

bool scaph_http_waits(const struct scaph_http *http)
{
	for (const struct request *at = http->requests; at; at = at->next) {
		if (at->waiting)
			return true;
	}
	return false;
}

void scaph_http_wake(struct scaph_http *http)
{
	for (struct request *at = http->requests; at; at = at->next) {
		if (at->waiting)
			MHD_resume_connection(at->connection);
		at->waiting = false;
	}
}
