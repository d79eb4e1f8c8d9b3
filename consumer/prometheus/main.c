/* SPDX-License-Identifier: Apache-2.0 */
/*
 * main.c - scaph-prometheus, as which scaph prometheus runs: one loop over signals, the surveying process, and connections
 *
 * This process never touches a share: it cannot hang with one. A program of its own, because the HTTP library brings others
 * along that no guest without libraries can have.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "consumer/command/worker.h"
#include "consumer/prometheus/accept.h"
#include "consumer/prometheus/exposition.h"
#include "consumer/prometheus/http.h"
#include "consumer/prometheus/landing.h"
#include "consumer/prometheus/listener.h"
#include "consumer/prometheus/options.h"
#include "consumer/prometheus/surveyor.h"
#include "consumer/recording/file.h"

#define NS_PER_S 1000000000ULL
#define TICK_MS 1000
#define FRESH_NS (NS_PER_S / 20) /* a survey of this age is as good as a new one */
#define WAIT_NS (NS_PER_S / 2) /* for a new one; then the one that is there has to do */
#define READY_PATH "/readyz"
#define TEXT_TYPE "text/plain; charset=utf-8"

struct exporter {
	struct scaph_exporter_options options;
	struct scaph_surveyor surveyor;
	struct scaph_site site;
	struct scaph_http *http[SCAPH_ADDRESSES_MAX];
	uint32_t servers;
	uint64_t wait_until_ns; /* 0: no connection waits */
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static bool is_metrics(const struct exporter *exporter, const char *path)
{
	return strcmp(path, exporter->options.metrics_path) == 0;
}

/* Figures should be of the moment of asking: rates over a minute are then right to a thousandth. */
static bool ready(void *context, const char *path)
{
	struct exporter *exporter = context;
	const struct scaph_surveyor *surveyor = &exporter->surveyor;
	uint64_t at_ns = now_ns();
	bool beginning = !surveyor->has_survey && at_ns < surveyor->started_ns + NS_PER_S;

	if (!is_metrics(exporter, path) && strcmp(path, "/") != 0 && strcmp(path, READY_PATH) != 0)
		return true;
	if (surveyor->has_survey && at_ns < surveyor->survey_ns + FRESH_NS)
		return true;
	if (!scaph_surveyor_responds(surveyor) && !beginning)
		return true;
	if (!exporter->wait_until_ns) {
		scaph_surveyor_ask(&exporter->surveyor);
		exporter->wait_until_ns = at_ns + WAIT_NS;
	}
	return false;
}

/* One line: ok, or why a scrape would bring no figure now. */
static unsigned int write_readiness(const struct scaph_exposed *exposed, FILE *file)
{
	if (scaph_exposed_up(exposed)) {
		fputs("ok\n", file);
		return 200;
	}
	fprintf(file, "no figures: %s\n",
		!exposed->responds ? "the reading process does not answer"
		: exposed->survey->head.segments
			? "records of no segment with energy come; see / for the reasons"
			: "there is no segment; see / for where it was looked for");
	return 503;
}

static const char *write_page(struct exporter *exporter, const char *path, const char *accept,
			      unsigned int *ret_status, FILE *file)
{
	struct scaph_exposed exposed = {
		.survey = &exporter->surveyor.survey,
		.responds = scaph_surveyor_responds(&exporter->surveyor),
		.replaced = exporter->surveyor.replaced,
	};

	if (is_metrics(exporter, path)) {
		enum scaph_form form = scaph_accept_openmetrics(accept) ? SCAPH_FORM_OPENMETRICS
									: SCAPH_FORM_TEXT;

		scaph_exposition_write(&exposed, form, file);
		return scaph_exposition_type(form);
	}
	if (strcmp(path, "/") == 0) {
		scaph_landing_write(&exposed, exporter->options.metrics_path, file);
		return SCAPH_LANDING_TYPE;
	}
	if (strcmp(path, "/healthz") == 0) {
		fputs("ok\n", file);
		return TEXT_TYPE;
	}
	if (strcmp(path, READY_PATH) == 0) {
		*ret_status = write_readiness(&exposed, file);
		return TEXT_TYPE;
	}
	fprintf(file, "not here; the metrics are at %s\n", exporter->options.metrics_path);
	return NULL;
}

static int page(void *context, const char *path, const char *accept, struct scaph_page *ret_page)
{
	struct scaph_page page = { .status = 200 };
	FILE *file = open_memstream(&page.text, &page.length);

	if (!file)
		return -ENOMEM;
	page.type = write_page(context, path, accept, &page.status, file);
	if (!page.type) {
		page.type = TEXT_TYPE;
		page.status = 404;
	}
	if (fclose(file) != 0) {
		free(page.text);
		return -ENOMEM;
	}
	*ret_page = page;
	return 0;
}

static int listen_everywhere(struct exporter *exporter)
{
	const struct scaph_exporter_options *options = &exporter->options;
	struct scaph_listener listener[SCAPH_ADDRESSES_MAX];

	for (uint32_t i = 0; i < options->addresses; i++) {
		if (scaph_listener_open(options->address[i], &listener[i]) < 0)
			return -EINVAL;
	}
	for (uint32_t i = 0; i < options->addresses; i++) {
		if (scaph_http_new(listener[i].fd, &exporter->site, &exporter->http[i]) < 0) {
			fprintf(stderr, "scaph: %s: cannot serve: %s\n", listener[i].url,
				strerror(errno));
			return -EIO;
		}
		exporter->servers++;
	}
	for (uint32_t i = 0; i < options->addresses; i++)
		fprintf(stderr, "scaph: serving %s%s%s\n", listener[i].url, options->metrics_path,
			listener[i].loopback ? " to this machine only; --web.listen-address :8080 "
					       "serves others too"
					     : "");
	return 0;
}

static int timeout_ms(const struct exporter *exporter)
{
	int ms = TICK_MS;

	if (exporter->wait_until_ns) {
		uint64_t at_ns = now_ns();

		ms = at_ns < exporter->wait_until_ns
			     ? (int)((exporter->wait_until_ns - at_ns) / 1000000 + 1)
			     : 0;
	}
	for (uint32_t i = 0; i < exporter->servers; i++)
		ms = scaph_http_timeout_ms(exporter->http[i], ms);
	return ms;
}

static void serve(struct exporter *exporter, bool news)
{
	if (exporter->wait_until_ns && (news || now_ns() >= exporter->wait_until_ns)) {
		exporter->wait_until_ns = 0;
		for (uint32_t i = 0; i < exporter->servers; i++)
			scaph_http_wake(exporter->http[i]);
	}
	for (uint32_t i = 0; i < exporter->servers; i++)
		scaph_http_run(exporter->http[i]);
}

/* Until a signal ends it. */
static int loop(struct exporter *exporter, int signal_fd)
{
	for (;;) {
		struct pollfd polls[2 + SCAPH_ADDRESSES_MAX] = {
			{ .fd = signal_fd, .events = POLLIN },
			{ .fd = exporter->surveyor.fd, .events = POLLIN },
		};
		bool news = false;

		for (uint32_t i = 0; i < exporter->servers; i++)
			polls[2 + i] = (struct pollfd){ .fd = scaph_http_fd(exporter->http[i]),
							.events = POLLIN };
		if (poll(polls, 2 + exporter->servers, timeout_ms(exporter)) < 0 && errno != EINTR)
			return EXIT_FAILURE;
		if (polls[0].revents)
			return EXIT_SUCCESS;
		if (polls[1].revents)
			news = scaph_surveyor_take(&exporter->surveyor);
		scaph_surveyor_tend(&exporter->surveyor);
		serve(exporter, news);
	}
}

/* A recording is nobody's share: it may be looked at here, and refused before anything is served. */
static bool is_playable(const char *path)
{
	struct scaph_recording recording;
	int r = path ? scaph_recording_open(path, &recording) : 0;

	if (path && r == 0)
		scaph_recording_close(&recording);
	if (r)
		fprintf(stderr, "scaph: %s: %s\n", path, scaph_recording_reason(r));
	return r == 0;
}

int main(int argc, char **argv)
{
	static struct exporter exporter;
	int status = EXIT_FAILURE, signal_fd, r;

	exporter.site = (struct scaph_site){ .context = &exporter, .ready = ready, .page = page };
	r = scaph_exporter_options_read(argc, argv, &exporter.options);
	if (r)
		return r == SCAPH_EXPORTER_OPTIONS_DONE ? EXIT_SUCCESS : EXIT_FAILURE;
	if (!is_playable(exporter.options.place.replay))
		return EXIT_FAILURE;
	signal_fd = scaph_worker_signal_fd();
	if (signal_fd < 0) {
		fprintf(stderr, "scaph: cannot begin: %s\n", strerror(-signal_fd));
		return EXIT_FAILURE;
	}
	if (listen_everywhere(&exporter) < 0)
		return EXIT_FAILURE;
	r = scaph_surveyor_start(&exporter.surveyor, &exporter.options.place);
	if (r < 0)
		fprintf(stderr, "scaph: cannot begin: %s\n", strerror(-r));
	else
		status = loop(&exporter, signal_fd);
	for (uint32_t i = 0; i < exporter.servers; i++)
		scaph_http_free(exporter.http[i]);
	scaph_surveyor_stop(&exporter.surveyor);
	return status;
}
