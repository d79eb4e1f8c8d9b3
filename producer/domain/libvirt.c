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
#include "producer/domain/event_queue.h"
#include "producer/domain/hypervisor.h"
#include "producer/domain/qemu_process.h"
#include "producer/domain/roster.h"
#include "producer/domain/shmem_xml.h"
#include "producer/process/thread.h"
#include "proto/names.h"

#define KEEPALIVE_S 5
#define KEEPALIVE_COUNT 3
#define ANSWER_MS 5000 /* keepalive begins only with an open connection; this is said before */
#define BACKOFF_FIRST_NS (100 * SCAPH_NS_PER_MS)
#define BACKOFF_LAST_NS (5 * SCAPH_NS_PER_S)
/* A process not found is looked for again after 50 ms, 100 ms, ...: 3 s until it is reported. */
#define TRY_FIRST_NS (50 * SCAPH_NS_PER_MS)
#define TRIES_BEFORE_REPORT 7
#define TRY_LATER_NS (5 * SCAPH_NS_PER_S)

enum { GONE = 1 }; /* of look(): no longer there, which is no fault */

#define CALLBACKS 3
#define DEVICES_CHANGED (-1) /* beside libvirt's own types of event */

struct scaph_hypervisor {
	char *uri, *run_dir;
	struct scaph_hypervisor_listener listener;
	pthread_t loop, worker;
	int timer; /* brings the loop round: it is to end, or nobody answers */
	struct scaph_event_queue queue;

	/* The worker's. */
	virConnectPtr connection;
	int callback[CALLBACKS]; /* negative: not registered */
	struct scaph_roster roster;

	pthread_mutex_t speaking; /* held while the listener is called; guards what follows */
	bool muted, said_up, said_down;
};

/* True: the listener may be called until spoken(). */
static bool may_speak(struct scaph_hypervisor *hyper)
{
	pthread_mutex_lock(&hyper->speaking);
	if (!hyper->muted)
		return true;
	pthread_mutex_unlock(&hyper->speaking);
	return false;
}

static void spoken(struct scaph_hypervisor *hyper)
{
	pthread_mutex_unlock(&hyper->speaking);
}

static void tell(struct scaph_hypervisor *hyper, void (*what)(void *context, const uint8_t *uuid),
		 const uint8_t uuid[SCAPH_UUID_BYTES])
{
	if (!may_speak(hyper))
		return;
	what(hyper->listener.context, uuid);
	spoken(hyper);
}

static void tell_up(struct scaph_hypervisor *hyper)
{
	if (!may_speak(hyper))
		return;
	if (!hyper->said_up)
		hyper->listener.connection(hyper->listener.context, true, NULL);
	hyper->said_up = true;
	hyper->said_down = false;
	spoken(hyper);
}

static void tell_down(struct scaph_hypervisor *hyper, const char *why)
{
	if (!may_speak(hyper))
		return;
	if (!hyper->said_down)
		hyper->listener.connection(hyper->listener.context, false, why);
	hyper->said_down = true;
	hyper->said_up = false;
	spoken(hyper);
}

static void *run_loop(void *argument)
{
	struct scaph_hypervisor *hyper = argument;

	while (!scaph_event_queue_stopped(&hyper->queue)) {
		/* It never should; then at least it must not spin. */
		if (virEventRunDefaultImpl() < 0)
			scaph_clock_sleep_until(scaph_clock_ns(CLOCK_MONOTONIC) +
						100 * SCAPH_NS_PER_MS);
	}
	return NULL;
}

static void on_timer(int timer, void *opaque)
{
	struct scaph_hypervisor *hyper = opaque;

	virEventUpdateTimeout(timer, -1);
	if (!scaph_event_queue_stopped(&hyper->queue))
		tell_down(hyper, "it takes connections and does not answer");
}

/* libvirt would write to standard error; what matters is said through the listener. */
static void on_error(void *opaque, virErrorPtr error)
{
}

static void on_close(virConnectPtr connection, int reason, void *opaque)
{
	struct scaph_hypervisor *hyper = opaque;

	tell_down(hyper, reason == VIR_CONNECT_CLOSE_REASON_KEEPALIVE ? "it no longer answers"
								      : "it closed the connection");
	scaph_event_queue_close(&hyper->queue);
}

static int on_event(virConnectPtr connection, virDomainPtr domain, int type, int detail,
		    void *opaque)
{
	struct scaph_hypervisor *hyper = opaque;
	struct scaph_event event = { .type = type, .detail = detail };

	virDomainGetUUID(domain, event.uuid);
	scaph_event_queue_put(&hyper->queue, &event);
	return 0;
}

/* Of whatever kind: which ones there are is looked at. */
static void on_device(virConnectPtr connection, virDomainPtr domain, const char *alias,
		      void *opaque)
{
	(void)on_event(connection, domain, DEVICES_CHANGED, 0, opaque);
}

static int has_ivshmem(virDomainPtr domain, const char *uuid, bool *ret_has)
{
	char name[sizeof("scaph-") + SCAPH_UUID_TEXT_BYTES];
	char *xml = virDomainGetXMLDesc(domain, 0);

	if (!xml)
		return -EIO;
	snprintf(name, sizeof(name), "scaph-%s", uuid);
	*ret_has = scaph_shmem_xml_has(xml, name);
	free(xml);
	return 0;
}

/*
 * Ask everything about a domain that is said to run: 0, GONE, or a negative errno if all is known but
 * its process.
 */
static int look(struct scaph_hypervisor *hyper, virDomainPtr domain,
		struct scaph_sighting *ret_sighting)
{
	struct scaph_sighting sighting = {};
	const char *name = virDomainGetName(domain);
	char uuid[SCAPH_UUID_TEXT_BYTES];
	virDomainInfo info;
	int r;

	if (!name || virDomainGetUUID(domain, sighting.uuid) < 0 ||
	    virDomainGetInfo(domain, &info) < 0 || info.state == VIR_DOMAIN_SHUTOFF ||
	    info.state == VIR_DOMAIN_NOSTATE)
		return GONE;
	snprintf(sighting.name, sizeof(sighting.name), "%s", name);
	scaph_uuid_format(sighting.uuid, uuid);
	sighting.vcpus = info.nrVirtCpu;
	sighting.paused = info.state == VIR_DOMAIN_PAUSED || info.state == VIR_DOMAIN_PMSUSPENDED;
	r = has_ivshmem(domain, uuid, &sighting.ivshmem);
	if (r == 0)
		r = scaph_qemu_process_find(hyper->run_dir, name, uuid, &sighting.pid);
	*ret_sighting = sighting;
	return r;
}

static void tell_unseen(struct scaph_hypervisor *hyper, const struct scaph_sighting *sighting,
			int error)
{
	const char *why = error == -EIO	     ? "libvirt does not give its definition"
			  : error == -ENOENT ? "it has no PID file in the folder of libvirt"
			  : error == -ESRCH  ? "its PID file names another process"
					     : "its PID file cannot be read";

	if (!hyper->listener.unseen || !may_speak(hyper))
		return;
	hyper->listener.unseen(hyper->listener.context, sighting, why);
	spoken(hyper);
}

/* When to look for a process that was not found; reported once on the way. */
static void try_again(struct scaph_hypervisor *hyper, struct scaph_roster_entry *entry,
		      const struct scaph_sighting *sighting, int error)
{
	uint64_t now_ns = scaph_clock_ns(CLOCK_MONOTONIC);

	if (entry->tries < TRIES_BEFORE_REPORT && ++entry->tries == TRIES_BEFORE_REPORT)
		tell_unseen(hyper, sighting, error);
	entry->again_ns = now_ns + (entry->tries == TRIES_BEFORE_REPORT
					    ? TRY_LATER_NS
					    : TRY_FIRST_NS << (entry->tries - 1));
}

/* Look at a domain that is said to run, and tell; one that is gone meanwhile is passed over. */
static void see(struct scaph_hypervisor *hyper, virDomainPtr domain)
{
	struct scaph_roster_entry *entry;
	struct scaph_sighting sighting;
	int r = look(hyper, domain, &sighting);

	if (r == GONE)
		return;
	entry = scaph_roster_add(&hyper->roster, sighting.uuid);
	/* Without memory begin anew, with a list. */
	if (!entry) {
		scaph_event_queue_close(&hyper->queue);
		return;
	}
	entry->persistent = virDomainIsPersistent(domain) != 0;
	if (r) {
		try_again(hyper, entry, &sighting, r);
		return;
	}
	entry->tries = 0;
	entry->again_ns = UINT64_MAX;
	if (!may_speak(hyper))
		return;
	hyper->listener.running(hyper->listener.context, &sighting);
	spoken(hyper);
}

static void see_uuid(struct scaph_hypervisor *hyper, const uint8_t uuid[SCAPH_UUID_BYTES])
{
	virDomainPtr domain = virDomainLookupByUUID(hyper->connection, uuid);

	if (!domain)
		return;
	see(hyper, domain);
	virDomainFree(domain);
}

/* Its process was not found the last time. */
static void see_due(struct scaph_hypervisor *hyper)
{
	struct scaph_roster_entry *entry = scaph_roster_due(&hyper->roster);
	uint8_t uuid[SCAPH_UUID_BYTES];

	if (!entry)
		return;
	/* Unless looking says otherwise it is gone, and an event is to come. */
	entry->again_ns = UINT64_MAX;
	memcpy(uuid, entry->uuid, sizeof(uuid));
	see_uuid(hyper, uuid);
}

/* One without a definition has no other life to come, but where it was saved or went elsewhere. */
static void act_on_stopped(struct scaph_hypervisor *hyper, const struct scaph_event *event)
{
	struct scaph_roster_entry *entry = scaph_roster_find(&hyper->roster, event->uuid);
	bool over = entry && !entry->persistent &&
		    event->detail != VIR_DOMAIN_EVENT_STOPPED_SAVED &&
		    event->detail != VIR_DOMAIN_EVENT_STOPPED_MIGRATED;

	if (entry)
		scaph_roster_remove(&hyper->roster, entry);
	tell(hyper, hyper->listener.stopped, event->uuid);
	if (over)
		tell(hyper, hyper->listener.undefined, event->uuid);
}

static void act_on_definition(struct scaph_hypervisor *hyper, const struct scaph_event *event)
{
	struct scaph_roster_entry *entry = scaph_roster_find(&hyper->roster, event->uuid);

	if (entry)
		entry->persistent = event->type == VIR_DOMAIN_EVENT_DEFINED;
	else if (event->type == VIR_DOMAIN_EVENT_UNDEFINED &&
		 event->detail != VIR_DOMAIN_EVENT_UNDEFINED_RENAMED)
		tell(hyper, hyper->listener.undefined, event->uuid);
}

/* A QEMU that came with another life's memory, or goes on after a halt in which it was saved. */
static bool brings_old_bytes(const struct scaph_event *event)
{
	switch (event->type) {
	case VIR_DOMAIN_EVENT_RESUMED:
		return true;
	case VIR_DOMAIN_EVENT_STARTED:
		return event->detail != VIR_DOMAIN_EVENT_STARTED_BOOTED;
	case VIR_DOMAIN_EVENT_SUSPENDED:
		return event->detail == VIR_DOMAIN_EVENT_SUSPENDED_RESTORED ||
		       event->detail == VIR_DOMAIN_EVENT_SUSPENDED_FROM_SNAPSHOT;
	default:
		return false;
	}
}

static void act(struct scaph_hypervisor *hyper, const struct scaph_event *event)
{
	switch (event->type) {
	case VIR_DOMAIN_EVENT_STOPPED:
		act_on_stopped(hyper, event);
		break;
	case VIR_DOMAIN_EVENT_DEFINED:
	case VIR_DOMAIN_EVENT_UNDEFINED:
		act_on_definition(hyper, event);
		break;
	case DEVICES_CHANGED:
	case VIR_DOMAIN_EVENT_STARTED:
	case VIR_DOMAIN_EVENT_RESUMED:
	case VIR_DOMAIN_EVENT_SUSPENDED:
	case VIR_DOMAIN_EVENT_PMSUSPENDED:
		if (brings_old_bytes(event))
			tell(hyper, hyper->listener.refresh, event->uuid);
		see_uuid(hyper, event->uuid);
		break;
	default:
		break;
	}
}

/* The id that came with the list says it: asking again could only answer for another moment. */
static bool ran_when_listed(virDomainPtr domain)
{
	return virDomainGetID(domain) != (unsigned int)-1;
}

/* See those that run, then tell everybody there is. */
static void tell_list(struct scaph_hypervisor *hyper, virDomainPtr *domains, int count,
		      uint8_t (*uuids)[SCAPH_UUID_BYTES])
{
	uint32_t running = 0, defined = 0;

	for (int i = 0; i < count; i++) {
		if (ran_when_listed(domains[i]))
			virDomainGetUUID(domains[i], uuids[running++]);
	}
	for (int i = 0; i < count; i++) {
		if (!ran_when_listed(domains[i]))
			virDomainGetUUID(domains[i], uuids[running + defined++]);
	}
	for (int i = 0; i < count && !scaph_event_queue_stopped(&hyper->queue); i++) {
		if (ran_when_listed(domains[i]))
			see(hyper, domains[i]);
	}
	if (!may_speak(hyper))
		return;
	hyper->listener.listed(hyper->listener.context, (const uint8_t(*)[SCAPH_UUID_BYTES])uuids,
			       running, defined);
	spoken(hyper);
}

static bool list_all(struct scaph_hypervisor *hyper)
{
	virDomainPtr *domains = NULL;
	int count = virConnectListAllDomains(hyper->connection, &domains, 0);
	uint8_t(*uuids)[SCAPH_UUID_BYTES];

	if (count < 0)
		return false;
	scaph_roster_clear(&hyper->roster);
	uuids = calloc((size_t)count + 1, sizeof(*uuids));
	if (uuids)
		tell_list(hyper, domains, count, uuids);
	for (int i = 0; i < count; i++)
		virDomainFree(domains[i]);
	free(domains);
	free(uuids);
	return uuids != NULL;
}

static bool register_all(struct scaph_hypervisor *hyper)
{
	static const struct {
		int event;
		virConnectDomainEventGenericCallback act;
	} wanted[CALLBACKS] = {
		{ VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_event) },
		{ VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, VIR_DOMAIN_EVENT_CALLBACK(on_device) },
		{ VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, VIR_DOMAIN_EVENT_CALLBACK(on_device) },
	};
	virConnectPtr connection = hyper->connection;

	if (virConnectSetKeepAlive(connection, KEEPALIVE_S, KEEPALIVE_COUNT) < 0 ||
	    virConnectRegisterCloseCallback(connection, on_close, hyper, NULL) < 0)
		return false;
	for (unsigned int i = 0; i < CALLBACKS; i++) {
		hyper->callback[i] = virConnectDomainEventRegisterAny(
			connection, NULL, wanted[i].event, wanted[i].act, hyper, NULL);
		if (hyper->callback[i] < 0)
			return false;
	}
	return true;
}

static bool connect_and_list(struct scaph_hypervisor *hyper)
{
	bool good;

	scaph_event_queue_open(&hyper->queue);
	virEventUpdateTimeout(hyper->timer, ANSWER_MS);
	hyper->connection = virConnectOpenReadOnly(hyper->uri);
	good = hyper->connection && register_all(hyper);
	virEventUpdateTimeout(hyper->timer, -1);
	if (good) {
		tell_up(hyper);
		good = list_all(hyper);
	}
	if (!good)
		tell_down(hyper, virGetLastErrorMessage());
	return good;
}

/* Each call-back that stays registered would keep the connection's memory for ever. */
static void disconnect(struct scaph_hypervisor *hyper)
{
	if (!hyper->connection)
		return;
	for (unsigned int i = 0; i < CALLBACKS; i++) {
		if (hyper->callback[i] >= 0)
			virConnectDomainEventDeregisterAny(hyper->connection, hyper->callback[i]);
		hyper->callback[i] = -1;
	}
	virConnectUnregisterCloseCallback(hyper->connection, on_close);
	virConnectClose(hyper->connection);
	hyper->connection = NULL;
}

/* Until the connection is closed, or it is to end. */
static void serve(struct scaph_hypervisor *hyper)
{
	struct scaph_event event;
	int r = 0;

	while (r != SCAPH_EVENT_QUEUE_OVER) {
		const struct scaph_roster_entry *due = scaph_roster_due(&hyper->roster);

		r = scaph_event_queue_take(&hyper->queue, due ? due->again_ns : UINT64_MAX, &event);
		if (r == 0)
			act(hyper, &event);
		else if (r == SCAPH_EVENT_QUEUE_TIMEOUT)
			see_due(hyper);
	}
}

static void *run_worker(void *argument)
{
	struct scaph_hypervisor *hyper = argument;
	uint64_t backoff_ns = BACKOFF_FIRST_NS;

	while (!scaph_event_queue_stopped(&hyper->queue)) {
		if (connect_and_list(hyper)) {
			backoff_ns = BACKOFF_FIRST_NS;
			serve(hyper);
		}
		disconnect(hyper);
		if (scaph_event_queue_stopped(&hyper->queue))
			break;
		tell_down(hyper, "the connection was lost");
		scaph_event_queue_sleep(&hyper->queue, backoff_ns);
		backoff_ns = 2 * backoff_ns < BACKOFF_LAST_NS ? 2 * backoff_ns : BACKOFF_LAST_NS;
	}
	return NULL;
}

static void hypervisor_free(struct scaph_hypervisor *hyper)
{
	scaph_event_queue_deinit(&hyper->queue);
	scaph_roster_deinit(&hyper->roster);
	pthread_mutex_destroy(&hyper->speaking);
	free(hyper->uri);
	free(hyper->run_dir);
	free(hyper);
}

/* Others' domains are no processes of this machine; embed would be a driver within this process. */
bool scaph_hypervisor_takes(const char *uri)
{
	static const char *const taken[] = { "qemu:///system", "qemu:///session",
					     "qemu+unix:///system", "qemu+unix:///session" };

	for (size_t i = 0; i < sizeof(taken) / sizeof(taken[0]); i++) {
		size_t length = strlen(taken[i]);

		if (strncmp(uri, taken[i], length) == 0 && (!uri[length] || uri[length] == '?'))
			return true;
	}
	return false;
}

static void end_loop(struct scaph_hypervisor *hyper)
{
	virEventUpdateTimeout(hyper->timer, 0);
	pthread_join(hyper->loop, NULL);
	virEventRemoveTimeout(hyper->timer);
}

static int start_threads(struct scaph_hypervisor *hyper)
{
	int r = scaph_thread_start(&hyper->loop, "scaph-vir-loop", run_loop, hyper);

	if (r)
		return r;
	r = scaph_thread_start(&hyper->worker, "scaph-libvirt", run_worker, hyper);
	if (r) {
		scaph_event_queue_stop(&hyper->queue);
		end_loop(hyper);
	}
	return r;
}

int scaph_hypervisor_start(const char *uri, const char *run_dir,
			   const struct scaph_hypervisor_listener *listener,
			   struct scaph_hypervisor **ret_hypervisor)
{
	struct scaph_hypervisor *hyper;
	int r = -ENOMEM;

	if (!scaph_hypervisor_takes(uri))
		return -EINVAL;
	hyper = calloc(1, sizeof(*hyper));
	if (!hyper)
		return -ENOMEM;
	hyper->uri = strdup(uri);
	hyper->run_dir = strdup(run_dir);
	hyper->listener = *listener;
	for (unsigned int i = 0; i < CALLBACKS; i++)
		hyper->callback[i] = -1;
	scaph_event_queue_init(&hyper->queue);
	pthread_mutex_init(&hyper->speaking, NULL);
	virSetErrorFunc(NULL, on_error);
	/* Before any connection, or its events would be nobody's. */
	if (hyper->uri && hyper->run_dir && virInitialize() == 0 &&
	    virEventRegisterDefaultImpl() == 0) {
		hyper->timer = virEventAddTimeout(-1, on_timer, hyper, NULL);
		r = hyper->timer < 0 ? -ENOMEM : start_threads(hyper);
	}
	if (r) {
		hypervisor_free(hyper);
		return r;
	}
	*ret_hypervisor = hyper;
	return 0;
}

void scaph_hypervisor_stop(struct scaph_hypervisor *hyper)
{
	struct timespec until;

	if (!hyper)
		return;
	/* The listener may go now, even if a thread comes back from libvirt later. */
	pthread_mutex_lock(&hyper->speaking);
	hyper->muted = true;
	pthread_mutex_unlock(&hyper->speaking);
	scaph_event_queue_stop(&hyper->queue);
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec++;
	/* A thread that hangs in libvirt is left there: the process is about to end. */
	if (pthread_clockjoin_np(hyper->worker, NULL, CLOCK_MONOTONIC, &until)) {
		pthread_detach(hyper->worker);
		pthread_detach(hyper->loop);
		return;
	}
	end_loop(hyper);
	hypervisor_free(hyper);
}
