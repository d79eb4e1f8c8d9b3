/* SPDX-License-Identifier: Apache-2.0 */
/*
 * scale.c - the real daemon over many idle processes, beside a bare loop with as many wake-ups in the same seconds
 *
 * Domains are processes that sleep: what is measured is what looking after them costs, not what they use. CPU time is that of the
 * daemon's process between two looks, the floor's that of a thread that sleeps to the same deadlines and does nothing.
 */
#include "tools/bench/scale.h"

#include <dirent.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/bench/bed.h"
#include "tools/bench/report.h"
#include "tools/bench/switches.h"
#include "tools/bench/ticks.h"

#define DOMAINS_MAX 1000U
#define START_NS (60 * NS_PER_S)
#define SETTLE_NS (2 * NS_PER_S)
#define SWITCHES_NS NS_PER_S
#define WINDOW_DEFAULT_MS 20

static const unsigned int counts[] = { 10, 100, 1000 };
#define COUNTS (sizeof(counts) / sizeof(counts[0]))

struct run {
	const struct bench_scale *scale;
	unsigned int domains;
	pid_t sleeper[DOMAINS_MAX];
	pid_t daemon;
	char folder[64];
	struct bench_scale_figures figures;
};

struct loop {
	pthread_t thread;
	uint64_t period_ns, until_ns, cpu_ns;
};

static uint64_t thread_cpu_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static void *bare_loop(void *argument)
{
	struct loop *loop = argument;
	uint64_t due_ns = bench_now_ns(), from_ns = thread_cpu_ns();

	while (due_ns < loop->until_ns)
		bench_sleep_until(due_ns += loop->period_ns);
	loop->cpu_ns = thread_cpu_ns() - from_ns;
	return NULL;
}

static pid_t start_sleeper(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	return pid;
}

static char *text(const char *format, ...) __attribute__((format(printf, 1, 2)));

static char *text(const char *format, ...)
{
	va_list values;
	char *made;

	va_start(values, format);
	if (vasprintf(&made, format, values) < 0)
		err(1, "no memory");
	va_end(values);
	return made;
}

static void exec_daemon(const struct run *run)
{
	char **words = calloc(2 * DOMAINS_MAX + 32, sizeof(*words));
	unsigned int n = 0;
	int null = open("/dev/null", O_WRONLY);

	words[n++] = text("%s", run->scale->scaphd);
	words[n++] = text("--source=model");
	words[n++] = text("--model-watts=10:50");
	words[n++] = text("--libvirt=none");
	words[n++] = text("--allow-plain-dir");
	words[n++] = text("--profile=*=trusted");
	words[n++] = text("--log-level=error");
	words[n++] = text("--meter=%s", run->figures.meter);
	if (run->scale->window_ms)
		words[n++] = text("--window=%u", run->scale->window_ms);
	words[n++] = text("--share-root=%s/shares", run->folder);
	words[n++] = text("--host-dir=%s/host", run->folder);
	words[n++] = text("--state-dir=%s/state", run->folder);
	for (unsigned int i = 0; i < run->domains; i++) {
		words[n++] = text("--domain");
		words[n++] = text("d%u=pid:%d", i, (int)run->sleeper[i]);
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	dup2(null, STDOUT_FILENO);
	execv(words[0], words);
	err(127, "%s", words[0]);
}

/* Bytes of all files beneath a folder, one level of folders deep, and how many files. */
static uint64_t bytes_beneath(const char *path, unsigned int depth, unsigned int *files)
{
	struct dirent *entry;
	uint64_t bytes = 0;
	DIR *dir = opendir(path);

	while (dir && (entry = readdir(dir))) {
		char name[512];
		struct stat st;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (lstat(name, &st) == 0 && S_ISREG(st.st_mode)) {
			bytes += (uint64_t)st.st_blocks * 512;
			(*files)++;
		} else if (depth) {
			bytes += bytes_beneath(name, depth - 1, files);
		}
	}
	if (dir)
		closedir(dir);
	return bytes;
}

static void make_folders(struct run *run)
{
	char name[128];

	snprintf(run->folder, sizeof(run->folder), "%s/scale", bench_folder());
	mkdir(run->folder, 0700);
	snprintf(name, sizeof(name), "%s/shares", run->folder);
	mkdir(name, 0755);
	for (unsigned int i = 0; i < run->domains; i++) {
		snprintf(name, sizeof(name), "%s/shares/d%u", run->folder, i);
		mkdir(name, 0755);
	}
}

static void remove_folders(const struct run *run)
{
	pid_t pid = fork();

	if (pid == 0) {
		execl("/bin/rm", "rm", "-rf", "--", run->folder, (char *)NULL);
		_exit(127);
	}
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static bool await_daemon(struct run *run)
{
	uint64_t until_ns = bench_now_ns() + START_NS;
	char host[128];

	snprintf(host, sizeof(host), "%s/host", run->folder);
	while (bench_now_ns() < until_ns) {
		unsigned int files = 0;

		bytes_beneath(host, 0, &files);
		/* Each domain's, and the totals. */
		if (files > run->domains)
			return true;
		if (waitpid(run->daemon, NULL, WNOHANG) == run->daemon) {
			run->daemon = 0;
			return false;
		}
		bench_sleep_until(bench_now_ns() + 50 * NS_PER_MS);
	}
	return false;
}

static uint64_t daemon_cpu_ns(const struct run *run)
{
	struct timespec ts;
	clockid_t clock;

	if (clock_getcpuclockid(run->daemon, &clock) || clock_gettime(clock, &ts))
		return 0;
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static double rss_anon_mib(const struct run *run)
{
	unsigned long kib = 0;
	char line[256];
	FILE *file;

	snprintf(line, sizeof(line), "/proc/%d/status", (int)run->daemon);
	file = fopen(line, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "RssAnon: %lu kB", &kib) == 1)
			break;
	}
	if (file)
		fclose(file);
	return (double)kib / 1024;
}

static void measure(struct run *run)
{
	uint64_t from_ns, from_cpu_ns, took_ns;
	unsigned int files = 0;
	struct loop loop = { .period_ns = run->figures.window_ms * NS_PER_MS };

	bench_sleep_until(bench_now_ns() + SETTLE_NS);
	from_ns = bench_now_ns();
	loop.until_ns = from_ns + run->scale->seconds * NS_PER_S;
	from_cpu_ns = daemon_cpu_ns(run);
	if (pthread_create(&loop.thread, NULL, bare_loop, &loop))
		errx(1, "no thread for the floor");
	pthread_join(loop.thread, NULL);
	took_ns = bench_now_ns() - from_ns;
	run->figures.cpu_pct = 100 * (double)(daemon_cpu_ns(run) - from_cpu_ns) / (double)took_ns;
	run->figures.floor_pct = 100 * (double)loop.cpu_ns / (double)took_ns;
	run->figures.rss_anon_mib = rss_anon_mib(run);
	run->figures.tmpfs_mib = (double)bytes_beneath(run->folder, 2, &files) / (1 << 20);
}

/* Two processes that wait for each other in turn, on one CPU: switches and little else. */
static pid_t start_switching(void)
{
	int there[2], back[2];
	char byte = 0;
	cpu_set_t one;
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	if (pipe(there) || pipe(back))
		_exit(1);
	pid = fork();
	if (pid == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (write(pid ? there[1] : back[1], &byte, 1) == 1 &&
	       read(pid ? back[0] : there[0], &byte, 1) == 1)
		;
	_exit(0);
}

/* After the rest, for counting costs something too. */
static void measure_switches(struct run *run)
{
	struct bench_switches then, now;
	pid_t pid;
	int before;

	if (!bench_switches_count(1, &before))
		return;
	pid = start_switching();
	bench_sleep_until(bench_now_ns() + SWITCHES_NS / 10);
	if (bench_switches_read(run->daemon, &then)) {
		bench_sleep_until(bench_now_ns() + SWITCHES_NS);
		if (bench_switches_read(run->daemon, &now) && now.runs > then.runs)
			run->figures.switch_ns = (double)(now.time_ns - then.time_ns) /
						 (double)(now.runs - then.runs);
	}
	bench_switches_count(before, &before);
	if (pid > 0) {
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
	}
}

/* Bring up sleepers and the daemon over them; ended() in any case. */
static bool started(struct run *run)
{
	make_folders(run);
	for (unsigned int i = 0; i < run->domains; i++) {
		run->sleeper[i] = start_sleeper();
		if (run->sleeper[i] < 0)
			err(1, "process %u of %u", i, run->domains);
	}
	run->daemon = fork();
	if (run->daemon == 0)
		exec_daemon(run);
	return await_daemon(run);
}

static void ended(struct run *run)
{
	if (run->daemon > 0) {
		kill(run->daemon, SIGTERM);
		waitpid(run->daemon, NULL, 0);
	}
	for (unsigned int i = 0; i < run->domains; i++) {
		kill(run->sleeper[i], SIGKILL);
		waitpid(run->sleeper[i], NULL, 0);
	}
	remove_folders(run);
}

static bool one(struct run *run)
{
	bool good = started(run);

	if (good) {
		measure(run);
		measure_switches(run);
	}
	ended(run);
	return good;
}

static void print_row(const struct bench_scale_figures *figures)
{
	printf("%8u %-8s %9u %10.2f %10.2f %10.1f %10.1f %10.0f\n", figures->domains,
	       figures->meter, figures->window_ms, figures->cpu_pct, figures->floor_pct,
	       figures->rss_anon_mib, figures->tmpfs_mib, figures->switch_ns);
	fflush(stdout);
}

static const char *meter_to_be_had(const struct bench_scale *scale)
{
	struct run run = { .scale = scale, .domains = 1, .figures = { .meter = "bpf" } };

	if (started(&run)) {
		ended(&run);
		return "bpf";
	}
	ended(&run);
	warnx("the meter bpf cannot be had here (%s --check says why): cputime", scale->scaphd);
	return "cputime";
}

int bench_scale_run(const struct bench_scale *scale)
{
	const char *meter = scale->meter ? scale->meter : meter_to_be_had(scale);
	struct bench_scale_figures figures[COUNTS];

	if (!scale->json)
		printf("%8s %-8s %9s %10s %10s %10s %10s %10s\n", "domains", "meter", "window ms",
		       "CPU %", "floor %", "RssAnon", "tmpfs MiB", "switch ns");
	for (unsigned int i = 0; i < COUNTS; i++) {
		struct run run = { .scale = scale, .domains = counts[i] };

		run.figures.domains = counts[i];
		run.figures.meter = meter;
		run.figures.window_ms = scale->window_ms ? scale->window_ms : WINDOW_DEFAULT_MS;
		if (!one(&run)) {
			warnx("%s did not publish %u domains; run it by hand to see why",
			      scale->scaphd, run.domains);
			return 1;
		}
		figures[i] = run.figures;
		if (!scale->json)
			print_row(&figures[i]);
	}
	return scale->json && bench_json_print_scale(stdout, figures, COUNTS) < 0;
}
