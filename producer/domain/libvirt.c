/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libvirt.c - domains of libvirt, for their lifecycle alone; the only user of libvirt
 *
 * Two threads. One runs libvirt's event loop, which keeps the connection alive and finds out that it
 * is not; its call-backs only put events into a queue. The other connects, lists, asks what an event
 * does not say, and calls the listener: it may block in libvirt for as long as the loop thinks that
 * the connection lives. Nothing is replayed after a connection was lost, so each one begins with
 * registering for events and then a full list.
 *
 * Source: libvirt's reference of virConnectDomainEventRegisterAny() and virConnectSetKeepAlive().
 */
#include <errno.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "producer/process/clock.h"
#include "producer/domain/hypervisor.h"
#include "producer/domain/qemu_process.h"
#include "producer/domain/shmem_xml.h"
#include "producer/process/thread.h"
#include "proto/names.h"

#define KEEPALIVE_S 5
#define KEEPALIVE_COUNT 3
#define BACKOFF_FIRST_NS (100 * SCAPH_NS_PER_MS)
#define BACKOFF_LAST_NS (5 * SCAPH_NS_PER_S)
#define PID_TRIES 20 /* its file may come a little after the event */
#define PID_EVERY_NS (50 * SCAPH_NS_PER_MS)
#define LOOP_MS 200 /* how soon the loop finds that it is to end */

struct event {
	struct event *next;
	uint8_t uuid[SCAPH_UUID_BYTES];
	int type, detail;
};

struct scaph_hypervisor {
	char *uri, *run_dir;
	struct scaph_hypervisor_listener listener;
	pthread_t loop, worker;
	virConnectPtr connection; /* the worker's */
	int timer;
	bool was_up, said_down; /* the worker's */

	pthread_mutex_t lock; /* guards what follows */
	pthread_cond_t wake;
	struct event *first, **last;
	bool closed; /* the connection is gone */
	bool stop;
};

static void *run_loop(void *argument)
{
	struct scaph_hypervisor *hyper = argument;
	bool stop = false;

	while (!stop) {
		virEventRunDefaultImpl();
		pthread_mutex_lock(&hyper->lock);
		stop = hyper->stop;
		pthread_mutex_unlock(&hyper->lock);
	}
	return NULL;
}

/* The loop comes back from time to time for this alone. */
static void on_timer(int timer, void *opaque)
{
}

/* libvirt would write to standard error; what matters is said through the listener. */
static void on_error(void *opaque, virErrorPtr error)
{
}

static void on_close(virConnectPtr connection, int reason, void *opaque)
{
	struct scaph_hypervisor *hyper = opaque;

	pthread_mutex_lock(&hyper->lock);
	hyper->closed = true;
	pthread_cond_signal(&hyper->wake);
	pthread_mutex_unlock(&hyper->lock);
}

static int on_event(virConnectPtr connection, virDomainPtr domain, int type, int detail,
		    void *opaque)
{
	struct scaph_hypervisor *hyper = opaque;
	struct event *event = calloc(1, sizeof(*event));

	/* One that is lost would leave the table wrong for ever: list again instead. */
	if (!event) {
		on_close(connection, VIR_CONNECT_CLOSE_REASON_ERROR, opaque);
		return 0;
	}
	event->type = type;
	event->detail = detail;
	virDomainGetUUID(domain, event->uuid);
	pthread_mutex_lock(&hyper->lock);
	*hyper->last = event;
	hyper->last = &event->next;
	pthread_cond_signal(&hyper->wake);
	pthread_mutex_unlock(&hyper->lock);
	return 0;
}

static bool stopping(struct scaph_hypervisor *hyper)
{
	bool stop;

	pthread_mutex_lock(&hyper->lock);
	stop = hyper->stop;
	pthread_mutex_unlock(&hyper->lock);
	return stop;
}

/* Sleep, but not into the end. */
static void pause_ns(struct scaph_hypervisor *hyper, uint64_t ns)
{
	uint64_t until_ns = scaph_clock_ns(CLOCK_MONOTONIC) + ns;

	while (!stopping(hyper) && scaph_clock_ns(CLOCK_MONOTONIC) < until_ns)
		scaph_clock_sleep_until(scaph_clock_ns(CLOCK_MONOTONIC) + 20 * SCAPH_NS_PER_MS);
}

static bool has_ivshmem(virDomainPtr domain, const char *uuid)
{
	char name[sizeof("scaph-") + SCAPH_UUID_TEXT_BYTES];
	char *xml = virDomainGetXMLDesc(domain, 0);
	bool found;

	snprintf(name, sizeof(name), "scaph-%s", uuid);
	found = xml && scaph_shmem_xml_has(xml, name);
	free(xml);
	return found;
}

/* Ask everything about a domain that is said to run; one that is gone meanwhile is no sighting. */
static bool look(struct scaph_hypervisor *hyper, virDomainPtr domain,
		 struct scaph_sighting *ret_sighting)
{
	struct scaph_sighting sighting = {};
	const char *name = virDomainGetName(domain);
	char uuid[SCAPH_UUID_TEXT_BYTES];
	virDomainInfo info;

	if (!name || virDomainGetUUID(domain, sighting.uuid) < 0 ||
	    strlen(name) >= sizeof(sighting.name))
		return false;
	memcpy(sighting.name, name, strlen(name));
	scaph_uuid_format(sighting.uuid, uuid);
	sighting.ivshmem = has_ivshmem(domain, uuid);
	for (int i = 0; !sighting.pid && i < PID_TRIES; i++) {
		if (i)
			pause_ns(hyper, PID_EVERY_NS);
		if (virDomainGetInfo(domain, &info) < 0 || info.state == VIR_DOMAIN_SHUTOFF ||
		    info.state == VIR_DOMAIN_NOSTATE)
			return false;
		sighting.pid = scaph_qemu_process_find(hyper->run_dir, name, uuid);
	}
	if (!sighting.pid)
		return false;
	sighting.vcpus = info.nrVirtCpu;
	sighting.paused = info.state == VIR_DOMAIN_PAUSED || info.state == VIR_DOMAIN_PMSUSPENDED;
	*ret_sighting = sighting;
	return true;
}

static void report_running(struct scaph_hypervisor *hyper, virDomainPtr domain)
{
	struct scaph_sighting sighting;

	if (look(hyper, domain, &sighting) && !stopping(hyper))
		hyper->listener.running(hyper->listener.context, &sighting);
}

/* A QEMU that came with another life's memory, or goes on after a halt in which it was saved. */
static bool brings_old_bytes(const struct event *event)
{
	return event->type == VIR_DOMAIN_EVENT_RESUMED ||
	       (event->type == VIR_DOMAIN_EVENT_STARTED &&
		event->detail != VIR_DOMAIN_EVENT_STARTED_BOOTED);
}

static void act(struct scaph_hypervisor *hyper, const struct event *event)
{
	const struct scaph_hypervisor_listener *to = &hyper->listener;
	virDomainPtr domain;

	switch (event->type) {
	case VIR_DOMAIN_EVENT_STOPPED:
		to->stopped(to->context, event->uuid);
		return;
	case VIR_DOMAIN_EVENT_UNDEFINED:
		if (event->detail != VIR_DOMAIN_EVENT_UNDEFINED_RENAMED)
			to->undefined(to->context, event->uuid);
		return;
	case VIR_DOMAIN_EVENT_STARTED:
	case VIR_DOMAIN_EVENT_RESUMED:
	case VIR_DOMAIN_EVENT_SUSPENDED:
	case VIR_DOMAIN_EVENT_PMSUSPENDED:
		break;
	default:
		return;
	}
	domain = virDomainLookupByUUID(hyper->connection, event->uuid);
	if (!domain)
		return;
	report_running(hyper, domain);
	virDomainFree(domain);
	if (brings_old_bytes(event) && !stopping(hyper))
		to->refresh(to->context, event->uuid);
}

/* Everybody there is: those that run first. False: the connection went. */
static bool list_all(struct scaph_hypervisor *hyper)
{
	const struct scaph_hypervisor_listener *to = &hyper->listener;
	uint8_t(*uuids)[SCAPH_UUID_BYTES];
	virDomainPtr *domains = NULL;
	uint32_t running = 0, defined = 0;
	int count = virConnectListAllDomains(hyper->connection, &domains, 0);

	if (count < 0)
		return false;
	uuids = calloc((size_t)count + 1, sizeof(*uuids));
	for (int i = 0; uuids && i < count; i++) {
		if (virDomainIsActive(domains[i]) == 1)
			virDomainGetUUID(domains[i], uuids[running++]);
	}
	for (int i = 0; uuids && i < count; i++) {
		if (virDomainIsActive(domains[i]) != 1 && running + defined < (uint32_t)count)
			virDomainGetUUID(domains[i], uuids[running + defined++]);
	}
	for (int i = 0; i < count; i++) {
		if (uuids && virDomainIsActive(domains[i]) == 1)
			report_running(hyper, domains[i]);
		virDomainFree(domains[i]);
	}
	free(domains);
	if (uuids && !stopping(hyper))
		to->listed(to->context, (const uint8_t(*)[SCAPH_UUID_BYTES])uuids, running,
			   defined);
	free(uuids);
	return uuids != NULL;
}

static void say_down(struct scaph_hypervisor *hyper, const char *why)
{
	if (!hyper->said_down && !stopping(hyper))
		hyper->listener.connection(hyper->listener.context, false, why);
	hyper->said_down = true;
	hyper->was_up = false;
}

static bool register_all(struct scaph_hypervisor *hyper)
{
	virConnectPtr connection = hyper->connection;
	const char *type = virConnectGetType(connection);

	/* A hypervisor whose domains are no processes has nothing to be measured by. */
	if (!type || strcmp(type, "QEMU") != 0) {
		say_down(hyper, "it is no QEMU hypervisor; give --libvirt a qemu: URI");
		return false;
	}
	if (virConnectSetKeepAlive(connection, KEEPALIVE_S, KEEPALIVE_COUNT) < 0 ||
	    virConnectRegisterCloseCallback(connection, on_close, hyper, NULL) < 0 ||
	    virConnectDomainEventRegisterAny(connection, NULL, VIR_DOMAIN_EVENT_ID_LIFECYCLE,
					     VIR_DOMAIN_EVENT_CALLBACK(on_event), hyper,
					     NULL) < 0) {
		say_down(hyper, virGetLastErrorMessage());
		return false;
	}
	return true;
}

static bool connect_and_list(struct scaph_hypervisor *hyper)
{
	hyper->closed = false;
	hyper->connection = virConnectOpenReadOnly(hyper->uri);
	if (!hyper->connection) {
		say_down(hyper, virGetLastErrorMessage());
		return false;
	}
	if (!register_all(hyper))
		return false;
	hyper->listener.connection(hyper->listener.context, true, NULL);
	hyper->was_up = true;
	hyper->said_down = false;
	return list_all(hyper);
}

static void disconnect(struct scaph_hypervisor *hyper)
{
	struct event *event;

	if (hyper->connection) {
		virConnectUnregisterCloseCallback(hyper->connection, on_close);
		virConnectClose(hyper->connection);
	}
	hyper->connection = NULL;
	/* What was queued is older than the list that comes next. */
	pthread_mutex_lock(&hyper->lock);
	while ((event = hyper->first)) {
		hyper->first = event->next;
		free(event);
	}
	hyper->last = &hyper->first;
	pthread_mutex_unlock(&hyper->lock);
}

/* The next event; NULL: the connection is closed, or it is to end. */
static struct event *next_event(struct scaph_hypervisor *hyper)
{
	struct event *event = NULL;

	pthread_mutex_lock(&hyper->lock);
	while (!hyper->first && !hyper->closed && !hyper->stop)
		pthread_cond_wait(&hyper->wake, &hyper->lock);
	if (!hyper->closed && !hyper->stop) {
		event = hyper->first;
		hyper->first = event->next;
		if (!hyper->first)
			hyper->last = &hyper->first;
	}
	pthread_mutex_unlock(&hyper->lock);
	return event;
}

static void *run_worker(void *argument)
{
	struct scaph_hypervisor *hyper = argument;
	uint64_t backoff_ns = BACKOFF_FIRST_NS;
	struct event *event;

	while (!stopping(hyper)) {
		if (connect_and_list(hyper)) {
			backoff_ns = BACKOFF_FIRST_NS;
			while ((event = next_event(hyper))) {
				act(hyper, event);
				free(event);
			}
		}
		disconnect(hyper);
		if (stopping(hyper))
			break;
		if (hyper->was_up)
			say_down(hyper, "the connection was closed");
		pause_ns(hyper, backoff_ns);
		backoff_ns = 2 * backoff_ns < BACKOFF_LAST_NS ? 2 * backoff_ns : BACKOFF_LAST_NS;
	}
	return NULL;
}

static void free_all(struct scaph_hypervisor *hyper)
{
	free(hyper->uri);
	free(hyper->run_dir);
	free(hyper);
}

int scaph_hypervisor_start(const char *uri, const char *run_dir,
			   const struct scaph_hypervisor_listener *listener,
			   struct scaph_hypervisor **ret_hypervisor)
{
	struct scaph_hypervisor *hyper = calloc(1, sizeof(*hyper));
	int r;

	if (!hyper)
		return -ENOMEM;
	hyper->uri = strdup(uri);
	hyper->run_dir = strdup(run_dir);
	hyper->listener = *listener;
	hyper->last = &hyper->first;
	pthread_mutex_init(&hyper->lock, NULL);
	pthread_cond_init(&hyper->wake, NULL);
	virSetErrorFunc(NULL, on_error);
	/* Before any connection, or its events would be nobody's. */
	if (!hyper->uri || !hyper->run_dir || virInitialize() < 0 ||
	    virEventRegisterDefaultImpl() < 0) {
		free_all(hyper);
		return -ENOMEM;
	}
	hyper->timer = virEventAddTimeout(LOOP_MS, on_timer, NULL, NULL);
	r = scaph_thread_start(&hyper->loop, "scaph-vir-loop", run_loop, hyper);
	if (r == 0)
		r = scaph_thread_start(&hyper->worker, "scaph-libvirt", run_worker, hyper);
	/* With a loop that runs nothing can be freed; the daemon ends anyway. */
	if (r)
		return r;
	*ret_hypervisor = hyper;
	return 0;
}

void scaph_hypervisor_stop(struct scaph_hypervisor *hyper)
{
	struct timespec until;

	if (!hyper)
		return;
	pthread_mutex_lock(&hyper->lock);
	hyper->stop = true;
	pthread_cond_signal(&hyper->wake);
	pthread_mutex_unlock(&hyper->lock);
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec++;
	/* A thread that hangs in libvirt is left there: the process is about to end. */
	if (pthread_timedjoin_np(hyper->worker, NULL, &until)) {
		pthread_detach(hyper->worker);
		pthread_detach(hyper->loop);
		return;
	}
	pthread_join(hyper->loop, NULL);
	virEventRemoveTimeout(hyper->timer);
	free_all(hyper);
}
