/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pve_command.c - words, a child, its end
 */
#include "tools/vm/pve_command.h"

#include <assert.h>
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/vm/say.h"

int scaph_pve_command_init(struct scaph_pve_command *command, const char *const *words)
{
	*command = (struct scaph_pve_command){};
	for (size_t i = 0; words[i]; i++) {
		assert(i < SCAPH_PVE_WORDS_MAX - 1);
		command->word[i] = strdup(words[i]);
		if (!command->word[i]) {
			scaph_pve_command_deinit(command);
			return -ENOMEM;
		}
	}
	return 0;
}

void scaph_pve_command_deinit(struct scaph_pve_command *command)
{
	for (size_t i = 0; i < SCAPH_PVE_WORDS_MAX; i++)
		free(command->word[i]);
	*command = (struct scaph_pve_command){};
}

static void show_word(const char *word)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_./=,:@+";

	if (*word && strspn(word, plain) == strlen(word)) {
		printf("%s", word);
		return;
	}
	putchar('\'');
	for (; *word; word++) {
		if (*word == '\'')
			printf("'\\''");
		else
			putchar(*word);
	}
	putchar('\'');
}

void scaph_pve_command_show(const struct scaph_pve_command *command)
{
	printf("    ");
	for (size_t i = 0; command->word[i]; i++) {
		printf("%s", i ? " " : "");
		show_word(command->word[i]);
	}
	printf("\n");
}

int scaph_pve_command_run(const struct scaph_pve_command *command)
{
	const char *name = command->word[0];
	int status, r;
	pid_t child;

	fflush(stdout);
	r = -posix_spawnp(&child, name, NULL, NULL, command->word, environ);
	if (r) {
		scaph_vm_error("%s: %s; is this a host of Proxmox VE?", name, strerror(-r));
		return r;
	}
	while (waitpid(child, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	scaph_vm_error("%s %s %s: it ended with %s %d", name, command->word[1],
		       command->word[2] ? command->word[2] : "",
		       WIFEXITED(status) ? "status" : "signal",
		       WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status));
	return -EIO;
}
