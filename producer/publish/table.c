/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.c - a list of liburcu's, in its membarrier flavour
 */
#include "producer/publish/table.h"

#include <assert.h>
#include <stdlib.h>
#include <urcu/urcu-memb.h>

#include <urcu/rculist.h>

struct scaph_table {
	struct cds_list_head head;
	uint64_t version;
};

/* An entry as it hangs in the list. */
struct link {
	struct cds_list_head node;
	struct scaph_entry entry;
};

static struct link *link_of(const struct scaph_entry *entry)
{
	return caa_container_of(entry, struct link, entry);
}

struct scaph_table *scaph_table_new(void)
{
	struct scaph_table *table = malloc(sizeof(*table));

	if (table) {
		CDS_INIT_LIST_HEAD(&table->head);
		table->version = 1;
	}
	return table;
}

void scaph_table_free(struct scaph_table *table)
{
	assert(!table || cds_list_empty(&table->head));
	free(table);
}

struct scaph_entry *scaph_table_entry_new(void)
{
	struct link *link = calloc(1, sizeof(*link));

	return link ? &link->entry : NULL;
}

void scaph_table_entry_free(struct scaph_entry *entry)
{
	if (entry)
		free(link_of(entry));
}

/*
 * A reader that still sees the old number is one that synchronize_rcu() waits for; one that comes after
 * that sees the new one.
 */
static void renumber(struct scaph_table *table)
{
	/* The list's change before its number; pairs with scaph_table_version(). */
	cmm_smp_wmb();
	CMM_STORE_SHARED(table->version, table->version + 1);
}

void scaph_table_add(struct scaph_table *table, struct scaph_entry *entry)
{
	cds_list_add_tail_rcu(&link_of(entry)->node, &table->head);
	renumber(table);
}

void scaph_table_remove(struct scaph_table *table, struct scaph_entry *entry)
{
	cds_list_del_rcu(&link_of(entry)->node);
	renumber(table);
	urcu_memb_synchronize_rcu();
}

uint64_t scaph_table_version(const struct scaph_table *table)
{
	uint64_t version = CMM_LOAD_SHARED(table->version);

	/* The number before the list that is walked for it; pairs with renumber(). */
	cmm_smp_rmb();
	return version;
}

static struct scaph_entry *entry_at(const struct scaph_table *table, struct cds_list_head *node)
{
	return node == &table->head ? NULL : &caa_container_of(node, struct link, node)->entry;
}

struct scaph_entry *scaph_table_first(const struct scaph_table *table)
{
	return entry_at(table, rcu_dereference(table->head.next));
}

struct scaph_entry *scaph_table_next(const struct scaph_table *table,
				     const struct scaph_entry *entry)
{
	return entry_at(table, rcu_dereference(link_of(entry)->node.next));
}

void scaph_table_register_reader(void)
{
	urcu_memb_register_thread();
}

void scaph_table_unregister_reader(void)
{
	urcu_memb_unregister_thread();
}

void scaph_table_begin(void)
{
	urcu_memb_read_lock();
}

void scaph_table_end(void)
{
	urcu_memb_read_unlock();
}
