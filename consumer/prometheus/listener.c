/* SPDX-License-Identifier: Apache-2.0 */
/*
 * listener.c - addresses and sockets
 */
#include "consumer/prometheus/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define OPTION "--web.listen-address"
#define BACKLOG 64

struct place {
	char host[256]; /* "": every address */
	char port[6];
};

static int refuse(const char *address, const char *reason, int r)
{
	fprintf(stderr, "scaph: " OPTION " %s: %s\n", address, reason);
	return r;
}

static int split(const char *address, struct place *ret)
{
	const char *colon = strrchr(address, ':');
	const char *host = address, *end = colon;
	struct place place = {};
	size_t digits;

	if (!colon)
		return -EINVAL;
	digits = strspn(colon + 1, "0123456789");
	if (!digits || colon[1 + digits] || digits > 5 || atoi(colon + 1) > 65535)
		return -EINVAL;
	strcpy(place.port, colon + 1);
	if (*host == '[') {
		host++;
		end--;
		if (end <= host || *end != ']')
			return -EINVAL;
	} else if (memchr(host, ':', (size_t)(end - host))) {
		return -EINVAL;
	}
	if ((size_t)(end - host) >= sizeof(place.host))
		return -EINVAL;
	memcpy(place.host, host, (size_t)(end - host));
	*ret = place;
	return 0;
}

static int listen_on(const struct addrinfo *info)
{
	int one = 1, none = 0, r;
	int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	/* Every address means those of both families. */
	if (info->ai_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &none, sizeof(none));
	if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	r = -errno;
	close(fd);
	return r;
}

static bool is_loopback(const struct sockaddr_storage *address)
{
	const struct sockaddr_in *four = (const struct sockaddr_in *)address;
	const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)address;

	if (address->ss_family == AF_INET)
		return ntohl(four->sin_addr.s_addr) >> 24 == 127;
	return address->ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&six->sin6_addr);
}

static struct scaph_listener described(int fd)
{
	struct scaph_listener listener = { .fd = fd };
	struct sockaddr_storage address = {};
	socklen_t length = sizeof(address);
	char host[INET6_ADDRSTRLEN + 16] = "", port[6] = "";

	getsockname(fd, (struct sockaddr *)&address, &length);
	getnameinfo((const struct sockaddr *)&address, length, host, sizeof(host), port,
		    sizeof(port), NI_NUMERICHOST | NI_NUMERICSERV);
	listener.loopback = is_loopback(&address);
	snprintf(listener.url, sizeof(listener.url),
		 address.ss_family == AF_INET6 ? "http://[%s]:%s" : "http://%s:%s", host, port);
	return listener;
}

static const char *reason_of(int r)
{
	switch (-r) {
	case EADDRINUSE:
		return "the port is in use already; stop what listens there, or give another "
		       "with " OPTION " ADDRESS:PORT";
	case EACCES:
		return "not allowed; give a port above 1023, or run as root";
	case EADDRNOTAVAIL:
		return "no address of this machine; see ip address";
	default:
		return strerror(-r);
	}
}

int scaph_listener_open(const char *address, struct scaph_listener *ret)
{
	/* Everything: first the socket that takes both families, then one where there is no IPv6. */
	static const int families[] = { AF_INET6, AF_INET };
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
				  .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	struct addrinfo *infos = NULL;
	struct place place;
	int fd = -EADDRNOTAVAIL;

	if (split(address, &place) < 0)
		return refuse(address,
			      "must be ADDRESS:PORT, [IPV6-ADDRESS]:PORT or :PORT, such as "
			      "127.0.0.1:8080",
			      -EINVAL);
	for (int i = 0; i < 2 && fd < 0 && fd != -EADDRINUSE && fd != -EACCES; i++) {
		int failed;

		/* A name means its IPv4 address, if it has one. */
		hints.ai_family = place.host[0] ? families[1 - i] : families[i];
		failed = getaddrinfo(place.host[0] ? place.host : NULL, place.port, &hints, &infos);
		if (failed)
			continue;
		fd = listen_on(infos);
		freeaddrinfo(infos);
	}
	if (fd < 0)
		return refuse(address, reason_of(fd), fd);
	*ret = described(fd);
	return 0;
}
