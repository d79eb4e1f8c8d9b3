/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.c - a small HTTP server that says what each request took
 *
 * Usage: server PATH PORT [REQUESTS]
 *
 * GET /MILLISECONDS keeps a CPU busy for that long. A request is answered at once; a second thread learns its energy, some
 * windows later, and prints a line:
 *
 *   /200 200.1 ms, machine 2.914 J (2.511 to 3.310), of it this request 1.407 J
 *
 * The machine's energy in that time is whatever ran in it. This request's part is the machine's dynamic energy (what is above the
 * idle share) by CPU time: the worker's own over all the machine's. Only the loopback device is listened on.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <pthread.h>
#include <scaph.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_S 1000000000

/* What is handed from the worker to the meter, through a pipe: less than PIPE_BUF, so it comes whole. */
struct request {
	unsigned int busy_ms;
	uint64_t from_ns, to_ns; /* CLOCK_MONOTONIC */
	uint64_t cpu_ns; /* the worker's */
};

struct meter {
	const char *path;
	int requests_fd;
};

static uint64_t read_clock(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void show(const struct request *request, const struct scaph_energy *energy)
{
	const struct scaph_bounds *all = &energy->package_uj;
	uint64_t dynamic_uj = all->best - energy->idle_uj.best;
	double part = energy->cpu_ns.best ? (double)request->cpu_ns / (double)energy->cpu_ns.best
					  : 0;

	printf("/%u %.1f ms, machine %.3f J (%.3f to %.3f)", request->busy_ms,
	       (double)(request->to_ns - request->from_ns) / 1e6, (double)all->best / 1e6,
	       (double)all->least / 1e6, (double)all->most / 1e6);
	/* CPU time that is counted in ticks may show less than the worker had. */
	if (energy->flags & SCAPH_HAS_IDLE && energy->flags & SCAPH_HAS_CPU)
		printf(", of it this request %.3f J",
		       (double)dynamic_uj / 1e6 * (part < 1 ? part : 1));
	putchar('\n');
	fflush(stdout);
}

/* A thread of its own: the answers do not wait for records, and a share that hangs holds up nobody else. */
static void *meter_requests(void *argument)
{
	const struct meter *meter = argument;
	struct scaph_energy energy = { .size = sizeof(energy) };
	struct scaph_reader *reader;
	struct request request;
	int r = scaph_open(meter->path, NULL, &reader);

	if (r < 0) {
		fprintf(stderr, "server: %s: %s\n", meter->path, strerror(-r));
		return NULL;
	}
	scaph_clock_sync(reader, 3LL * NS_PER_S);
	printf("metering\n");
	fflush(stdout);
	while (read(meter->requests_fd, &request, sizeof(request)) == sizeof(request)) {
		r = scaph_energy_await(reader, request.from_ns, request.to_ns, 2LL * NS_PER_S,
				       &energy);
		if (r == SCAPH_OK && energy.flags & SCAPH_HAS_PACKAGE)
			show(&request, &energy);
		else
			printf("/%u no figure (%d): %s\n", request.busy_ms, r,
			       scaph_reason(reader));
	}
	scaph_close(reader);
	return NULL;
}

static void work(unsigned int ms)
{
	uint64_t end_ns = read_clock(CLOCK_MONOTONIC) + ms * UINT64_C(1000000);

	while (read_clock(CLOCK_MONOTONIC) < end_ns)
		;
}

static void serve(int client_fd, int requests_fd)
{
	static const char answer[] = "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n"
				     "Content-Length: 5\r\n\r\ndone\n";
	uint64_t cpu_ns = read_clock(CLOCK_THREAD_CPUTIME_ID);
	struct request request = { .from_ns = read_clock(CLOCK_MONOTONIC) };
	char text[1024];
	ssize_t got = read(client_fd, text, sizeof(text) - 1);

	text[got > 0 ? got : 0] = '\0';
	if (sscanf(text, "GET /%u ", &request.busy_ms) != 1 || request.busy_ms > 10000)
		return;
	work(request.busy_ms);
	if (write(client_fd, answer, sizeof(answer) - 1) < 0)
		return;
	request.to_ns = read_clock(CLOCK_MONOTONIC);
	request.cpu_ns = read_clock(CLOCK_THREAD_CPUTIME_ID) - cpu_ns;
	if (write(requests_fd, &request, sizeof(request)) < 0)
		perror("server");
}

static int listen_on(uint16_t port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons(port),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 16) < 0 ||
	    getsockname(fd, (struct sockaddr *)&address, &size) < 0)
		return -1;
	printf("listening on http://127.0.0.1:%u/\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

int main(int argc, char **argv)
{
	int listen_fd, pipe_fd[2], requests;
	struct meter meter;
	pthread_t thread;

	if (argc < 3 || pipe(pipe_fd) < 0)
		return 1;
	meter = (struct meter){ argv[1], pipe_fd[0] };
	requests = argc > 3 ? atoi(argv[3]) : -1;
	listen_fd = listen_on((uint16_t)atoi(argv[2]));
	if (listen_fd < 0 || pthread_create(&thread, NULL, meter_requests, &meter)) {
		perror("server");
		return 1;
	}
	while (requests < 0 || requests-- > 0) {
		int client_fd = accept(listen_fd, NULL, NULL);

		if (client_fd < 0)
			continue;
		serve(client_fd, pipe_fd[1]);
		close(client_fd);
	}
	close(pipe_fd[1]);
	pthread_join(thread, NULL);
	return 0;
}
