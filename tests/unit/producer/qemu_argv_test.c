/* SPDX-License-Identifier: Apache-2.0 */
/*
 * qemu_argv_test.c - command lines of libvirt, Proxmox and of hands, and such as nobody means well
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "producer/domain/qemu_look.h"
#include "proto/names.h"

#define UUID_A "6ba7b810-9dad-11d1-80b4-00c04fd430c8"
#define UUID_B "6ba7b811-9dad-11d1-80b4-00c04fd430c8"
#define PARSE(...) parse((const char *[]){ "/usr/bin/qemu-system-x86_64", __VA_ARGS__, NULL })

/* In a place of exactly its length, so that a sanitizer sees a step beyond. */
static struct scaph_qemu_argv parse(const char *const *words)
{
	struct scaph_qemu_argv argv;
	size_t length = 0;
	char *bytes;

	for (size_t i = 0; words[i]; i++)
		length += strlen(words[i]) + 1;
	bytes = malloc(length);
	assert_non_null(bytes);
	length = 0;
	for (size_t i = 0; words[i]; i++) {
		memcpy(bytes + length, words[i], strlen(words[i]) + 1);
		length += strlen(words[i]) + 1;
	}
	scaph_qemu_argv_parse(bytes, length, "/dev/shm", &argv);
	free(bytes);
	return argv;
}

static void assert_uuid(const struct scaph_qemu_argv *argv, const char *uuid)
{
	char text[SCAPH_UUID_TEXT_BYTES];

	assert_true(argv->has_uuid);
	scaph_uuid_format(argv->uuid, text);
	assert_string_equal(text, uuid);
}

static void libvirts(void **state)
{
	struct scaph_qemu_argv argv = PARSE(
		"-name", "guest=web,debug-threads=on", "-S", "-object",
		"{\"qom-type\":\"secret\",\"id\":\"masterKey0\"}", "-machine", "pc-q35-7.2", "-smp",
		"4,sockets=4,cores=1,threads=1", "-uuid", UUID_A, "-display", "none", "-object",
		"{\"qom-type\":\"memory-backend-file\",\"id\":\"shmmem-shmem0\","
		"\"mem-path\":\"/dev/shm/scaph-" UUID_A "\",\"size\":1048576,\"share\":true}");

	assert_string_equal(argv.name, "web");
	assert_uuid(&argv, UUID_A);
	assert_int_equal(argv.vcpus, 4);
	assert_true(argv.shmem);
	assert_false(argv.pve_shmem || argv.daemonize || argv.name_cut);
	assert_int_equal(argv.vmid, 0);
}

static void proxmoxs(void **state)
{
	struct scaph_qemu_argv argv = PARSE(
		"-id", "100", "-name", "web,debug-threads=on", "-no-shutdown", "-pidfile",
		"/var/run/qemu-server/100.pid", "-daemonize", "-smbios",
		"type=1,manufacturer=a,,b,uuid=" UUID_A, "-smp", "3,sockets=1,cores=3,maxcpus=6",
		"-object",
		"memory-backend-file,id=ivshmem,share=on,mem-path=/dev/shm/pve-shm-scaph-" UUID_A
		",size=1M");

	assert_string_equal(argv.name, "web");
	assert_uuid(&argv, UUID_A);
	assert_int_equal(argv.vmid, 100);
	assert_int_equal(argv.vcpus, 3);
	assert_true(argv.daemonize && argv.pve_shmem);
	assert_false(argv.shmem);
}

/* Whatever is repeated: the last; and -uuid before -smbios, whichever comes last. */
static void repeated(void **state)
{
	struct scaph_qemu_argv argv = PARSE("-name", "a", "--name", "b", "-uuid", UUID_B, "-uuid",
					    UUID_A, "-smbios", "type=1,uuid=" UUID_B);

	assert_string_equal(argv.name, "b");
	assert_uuid(&argv, UUID_A);
	argv = PARSE("-smbios", "type=1,uuid=" UUID_B, "-uuid", UUID_A);
	assert_uuid(&argv, UUID_A);
	argv = PARSE("-smbios", "type=2,uuid=" UUID_B);
	assert_false(argv.has_uuid);
	argv = PARSE("-smbios", "uuid=" UUID_B);
	assert_false(argv.has_uuid);
}

static void names(void **state)
{
	static const struct {
		const char *word, *name;
	} rows[] = {
		{ "guest=a,,b,debug-threads=on", "a,b" },
		{ "a,,,,b", "a,,b" },
		{ "plain", "plain" },
		{ "process=x,guest=y", "y" },
		{ "plain,process=x", "plain" },
		{ "guest=a=b", "a=b" },
		{ "guest=-uuid", "-uuid" },
		{ "guest=", "" },
		{ "", "" },
		{ ",", "" },
		{ "debug-threads=on", "" },
		{ "guest=a,", "a" },
		{ "guest=$(id);rm\t%n", "$(id);rm\t%n" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(PARSE("-name", rows[i].word).name, rows[i].name);
}

/* A name that was cut is nobody's: it might be the name of another. */
static void long_names(void **state)
{
	char word[1024] = "guest=";
	struct scaph_qemu_argv argv;

	memset(word + strlen(word), 'n', SCAPH_NAME_BYTES - 1);
	argv = PARSE("-name", word);
	assert_int_equal(strlen(argv.name), SCAPH_NAME_BYTES - 1);
	assert_false(argv.name_cut);
	strcat(word, "n");
	assert_true(PARSE("-name", word).name_cut);
	memset(word + strlen("guest="), 'n', sizeof(word) - strlen("guest=") - 1);
	assert_true(PARSE("-name", word).name_cut);
}

/* What a tenant may choose is a value, whatever it looks like. */
static void smuggled(void **state)
{
	struct scaph_qemu_argv argv = PARSE("-append", "-uuid", UUID_B, "-kernel", "-name", "x",
					    "-name", "-uuid", UUID_B, "-fw_cfg", "-smbios",
					    "type=1,uuid=" UUID_B, "-uuid", UUID_A);

	assert_uuid(&argv, UUID_A);
	assert_string_equal(argv.name, "-uuid");
	argv = PARSE("-append", "-uuid", UUID_B);
	assert_false(argv.has_uuid);
	argv = PARSE("-append", "-name guest=x", "-serial", "-name");
	assert_string_equal(argv.name, "");
}

static void sizes(void **state)
{
	assert_int_equal(PARSE("-smp", "8").vcpus, 8);
	assert_int_equal(PARSE("-smp", "cpus=2,maxcpus=64").vcpus, 2);
	assert_int_equal(PARSE("-smp", "sockets=2,cores=4,threads=2").vcpus, 16);
	assert_int_equal(PARSE("-smp", "0,sockets=2").vcpus, 2);
	assert_int_equal(PARSE("-smp", "-1").vcpus, 1);
	assert_int_equal(PARSE("-smp", "99999999999999999999").vcpus, 1);
	assert_int_equal(PARSE("-smp", "sockets=65536,cores=65536,threads=9").vcpus, 65536);
	assert_int_equal(PARSE("-smp", "x").vcpus, 1);
	assert_int_equal(PARSE("-S", "-m", "1").vcpus, 1);
	assert_int_equal(PARSE("-id", "1000000000").vmid, 0);
	assert_int_equal(PARSE("-id", "x").vmid, 0);
}

/* Another's file is not this machine's. */
static void memories(void **state)
{
	static const char *const others[] = {
		"memory-backend-file,mem-path=/dev/shm/scaph-" UUID_B,
		"memory-backend-file,mem-path=/dev/shm/scaph-" UUID_A ".x",
		"memory-backend-file,mem-path=/dev/shm/x/scaph-" UUID_A,
		"memory-backend-ram,mem-path=/dev/shm/scaph-" UUID_A,
		"{\"qom-type\":\"memory-backend-file\",\"mem-path\":\"/dev/shm/scaph-" UUID_B "\"}",
		"{\"mem-path\":\"/dev/shm/scaph-" UUID_A "\"}",
		"{",
		"",
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		assert_false(PARSE("-uuid", UUID_A, "-object", others[i]).shmem);
	assert_true(PARSE("-object", "memory-backend-file,mem-path=/dev/shm/scaph-" UUID_A, "-uuid",
			  UUID_A)
			    .shmem);
}

/* Cut at every byte, and every byte another: it says something or nothing, and reads no further. */
static void garbage(void **state)
{
	static const char line[] = "kvm\0-id\0"
				   "100\0-name\0guest=a,,b,debug-threads=on\0-smbios\0"
				   "type=1,uuid=" UUID_A "\0-smp\0"
				   "3,cores=3\0-object\0"
				   "memory-backend-file,mem-path=/dev/shm/scaph-" UUID_A;
	struct scaph_qemu_argv argv;

	for (size_t length = 0; length <= sizeof(line); length++) {
		char *bytes = malloc(length + 1);

		memcpy(bytes, line, length);
		bytes = realloc(bytes, length ? length : 1);
		scaph_qemu_argv_parse(bytes, length, "/dev/shm", &argv);
		assert_true(argv.vcpus >= 1 && strlen(argv.name) < SCAPH_NAME_BYTES);
		free(bytes);
	}
	srandom(1);
	for (int turn = 0; turn < 200000; turn++) {
		char bytes[sizeof(line)];

		memcpy(bytes, line, sizeof(line));
		for (int i = 0; i < 8; i++)
			bytes[(size_t)random() % sizeof(bytes)] = (char)random();
		scaph_qemu_argv_parse(bytes, sizeof(bytes), "/dev/shm", &argv);
		assert_true(argv.vcpus >= 1 && strlen(argv.name) < SCAPH_NAME_BYTES);
	}
	scaph_qemu_argv_parse("", 0, "/dev/shm", &argv);
	assert_false(argv.has_uuid);
}

static void executables(void **state)
{
	static const char *const good[] = { "/usr/bin/kvm",
					    "/usr/bin/kvm (deleted)",
					    "/usr/libexec/qemu-kvm",
					    "/usr/bin/qemu-system-x86_64",
					    "/usr/bin/qemu-system-x86_64 (deleted)",
					    "/usr/bin/qemu-system-aarch64",
					    "/usr/local/bin/qemu-system-riscv64" };
	static const char *const bad[] = { "",
					   "/",
					   "/usr/bin/",
					   " (deleted)",
					   "/usr/bin/qemu-system-",
					   "/usr/bin/qemu-system- (deleted)",
					   "/usr/bin/qemu-system-x86_64/x",
					   "/usr/bin/qemu-img",
					   "/usr/bin/kvmx",
					   "/home/eve/usr/bin/kvm",
					   "/tmp/qemu-system-x86_64",
					   "/usr/bin/vim",
					   "kvm" };

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(scaph_qemu_executable(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(scaph_qemu_executable(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(libvirts),   cmocka_unit_test(proxmoxs),
		cmocka_unit_test(repeated),   cmocka_unit_test(names),
		cmocka_unit_test(long_names), cmocka_unit_test(smuggled),
		cmocka_unit_test(sizes),      cmocka_unit_test(memories),
		cmocka_unit_test(garbage),    cmocka_unit_test(executables),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
