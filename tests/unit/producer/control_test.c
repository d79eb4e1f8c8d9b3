/* SPDX-License-Identifier: Apache-2.0 */
/*
 * control_test.c - requests over the socket, good ones and others; what scaph-vm says is said by its own code elsewhere
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "producer/control/control.h"
#include "proto/names.h"

#define UUID "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
#define PEERS 20

static char folder[] = "/tmp/scaph-control-XXXXXX";
static int asked;

static int act(void *context, const uint8_t uuid[SCAPH_UUID_BYTES])
{
	char text[SCAPH_UUID_TEXT_BYTES];

	scaph_uuid_format(uuid, text);
	assert_string_equal(text, UUID);
	asked++;
	return *(int *)context;
}

static const struct scaph_control_verb verbs[] = { { "release", act }, {} };

static int reach(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/control", folder);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

/* As often as it takes: whatever is there to do. */
static void run(struct scaph_control *control)
{
	for (int i = 0; i < 50; i++)
		scaph_control_act(control);
}

static void ask(struct scaph_control *control, const char *words, const char *wanted)
{
	char answer[256] = "";
	int fd = reach();

	assert_true(send(fd, words, strlen(words), 0) >= 0);
	run(control);
	assert_true(recv(fd, answer, sizeof(answer) - 1, MSG_DONTWAIT) > 0);
	assert_non_null(strstr(answer, wanted));
	close(fd);
	run(control);
}

static struct scaph_control *open_in(int *ret_folder, int *context)
{
	struct scaph_control *control;

	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	assert_non_null(mkdtemp(folder));
	*ret_folder = open(folder, O_RDONLY | O_DIRECTORY);
	assert_int_equal(scaph_control_open(*ret_folder, verbs, context, &control), 0);
	return control;
}

static void close_in(struct scaph_control *control, int folder_fd)
{
	scaph_control_close(control);
	close(folder_fd);
	assert_int_equal(rmdir(folder), 0);
}

static void requests(void **state)
{
	int result = 0, folder_fd;
	struct scaph_control *control = open_in(&folder_fd, &result);
	struct stat st;

	assert_int_equal(fstatat(folder_fd, "control", &st, 0), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	asked = 0;
	ask(control, "release " UUID, "ok");
	assert_int_equal(asked, 1);
	result = -EIO;
	ask(control, "release " UUID, "log says why");
	assert_int_equal(asked, 2);
	ask(control, "burn " UUID, "no such request");
	ask(control, "release", "VERB UUID");
	ask(control, "release " UUID "x", "VERB UUID");
	ask(control, " ", "VERB UUID");
	ask(control,
	    "release 6ba7b810-9dad-11d1-80b4-00c04fd430c8 and much more that is no request at all "
	    "but is longer than any that there could be, and so on, and so on",
	    "VERB UUID");
	assert_int_equal(asked, 2);
	close_in(control, folder_fd);
}

/* Neither silent peers nor ones that leave keep anybody else from being heard for ever. */
static void peers(void **state)
{
	int result = 0, folder_fd, fds[PEERS];
	struct scaph_control *control = open_in(&folder_fd, &result);

	for (int turn = 0; turn < 3; turn++) {
		for (int i = 0; i < PEERS; i++) {
			fds[i] = reach();
			run(control);
		}
		for (int i = 0; i < PEERS; i++) {
			if (fds[i] >= 0)
				close(fds[i]);
		}
		run(control);
	}
	ask(control, "release " UUID, "ok");
	close_in(control, folder_fd);
}

/* A killed daemon's socket is in nobody's way. */
static void left_behind(void **state)
{
	int result = 0, folder_fd;
	struct scaph_control *first = open_in(&folder_fd, &result), *second;

	assert_int_equal(scaph_control_open(folder_fd, verbs, &result, &second), 0);
	ask(second, "release " UUID, "ok");
	scaph_control_close(second);
	close_in(first, folder_fd);
	scaph_control_close(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),
		cmocka_unit_test(peers),
		cmocka_unit_test(left_behind),
	};

	return cmocka_run_group_tests_name("control", tests, NULL, NULL);
}
