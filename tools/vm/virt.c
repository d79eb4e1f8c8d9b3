/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virt.c - the only user of libvirt in scaph-vm
 *
 * A name is a tenant's choice and may be another domain's UUID or number: words that could be two
 * domains are refused.
 *
 * Source: libvirt's reference of virDomainDefineXMLFlags(), virConnectDomainXMLToNative().
 */
#include "tools/vm/virt.h"

#include <errno.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "tools/vm/say.h"

struct scaph_virt {
	virConnectPtr connection;
};

/* libvirt would write to standard error in its own words. */
static void on_error(void *opaque, virErrorPtr error)
{
}

static const char *reason(void)
{
	const char *text = virGetLastErrorMessage();

	return text ? text : "unknown";
}

int scaph_virt_open(const char *uri, struct scaph_virt **ret_virt)
{
	struct scaph_virt *virt = calloc(1, sizeof(*virt));

	if (!virt)
		return -ENOMEM;
	virSetErrorFunc(NULL, on_error);
	virt->connection = virConnectOpen(uri);
	if (!virt->connection) {
		scaph_vm_error("%s: %s; start libvirtd, or give -c URI", uri, reason());
		free(virt);
		return -ENOTCONN;
	}
	*ret_virt = virt;
	return 0;
}

void scaph_virt_close(struct scaph_virt *virt)
{
	if (!virt)
		return;
	virConnectClose(virt->connection);
	free(virt);
}

static void free_texts(struct scaph_virt_domain *domain)
{
	free(domain->definition);
	free(domain->public);
	free(domain->live);
	domain->definition = domain->public = domain->live = NULL;
}

void scaph_virt_domain_deinit(struct scaph_virt_domain *domain)
{
	free_texts(domain);
	free(domain->name);
	free(domain->shown);
	*domain = (struct scaph_virt_domain){};
}

static int read_texts(virDomainPtr found, struct scaph_virt_domain *domain)
{
	free_texts(domain);
	domain->active = virDomainIsActive(found) == 1;
	domain->persistent = virDomainIsPersistent(found) == 1;
	domain->saved = domain->persistent && virDomainHasManagedSaveImage(found, 0) == 1;
	domain->public = virDomainGetXMLDesc(found, VIR_DOMAIN_XML_INACTIVE);
	domain->definition =
		virDomainGetXMLDesc(found, VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE);
	if (domain->active)
		domain->live = virDomainGetXMLDesc(found, 0);
	if (domain->public && domain->definition)
		return 0;
	scaph_vm_error("%s: its definition cannot be read: %s; be root, or give -c another URI",
		       domain->shown, reason());
	return -EACCES;
}

static int describe(virDomainPtr found, struct scaph_virt_domain *ret_domain)
{
	struct scaph_virt_domain domain = {};
	const char *name = virDomainGetName(found);
	int r = -ENOMEM;

	if (!name || virDomainGetUUIDString(found, domain.uuid) < 0)
		return -EIO;
	domain.name = strdup(name);
	domain.shown = malloc(4 * strlen(name) + 1);
	if (domain.name && domain.shown) {
		scaph_name_escape(name, domain.shown, 4 * strlen(name) + 1);
		r = read_texts(found, &domain);
	}
	if (r)
		scaph_virt_domain_deinit(&domain);
	else
		*ret_domain = domain;
	return r;
}

static bool is_number(const char *words, int *ret_number)
{
	char *end;
	long number = strtol(words, &end, 10);

	if (end == words || *end || *words < '0' || *words > '9' || number > 0x7fffffff)
		return false;
	*ret_number = (int)number;
	return true;
}

/* NULL: none, or two that differ, which @ret_two says. */
static virDomainPtr lookup(struct scaph_virt *virt, const char *words, bool *ret_two)
{
	virDomainPtr by_name = virDomainLookupByName(virt->connection, words), other = NULL;
	char a[SCAPH_UUID_TEXT_BYTES] = "", b[SCAPH_UUID_TEXT_BYTES] = "";
	uint8_t uuid[SCAPH_UUID_BYTES];
	int number;

	if (scaph_uuid_parse(words, uuid) == 0)
		other = virDomainLookupByUUID(virt->connection, uuid);
	else if (is_number(words, &number))
		other = virDomainLookupByID(virt->connection, number);
	if (!by_name || !other)
		return by_name ? by_name : other;
	virDomainGetUUIDString(by_name, a);
	virDomainGetUUIDString(other, b);
	virDomainFree(by_name);
	if (strcmp(a, b) == 0)
		return other;
	virDomainFree(other);
	*ret_two = true;
	return NULL;
}

int scaph_virt_find(struct scaph_virt *virt, const char *words,
		    struct scaph_virt_domain *ret_domain)
{
	bool two = false;
	virDomainPtr found = lookup(virt, words, &two);
	int r;

	if (two) {
		scaph_vm_error("that is the name of one domain and the UUID or number of another; "
			       "give the UUID that virsh domuuid says");
		return -EINVAL;
	}
	if (!found)
		return -ENOENT;
	r = describe(found, ret_domain);
	virDomainFree(found);
	return r;
}

int scaph_virt_list(struct scaph_virt *virt, char (**ret_uuids)[SCAPH_UUID_TEXT_BYTES],
		    size_t *ret_count)
{
	virDomainPtr *domains = NULL;
	int count = virConnectListAllDomains(virt->connection, &domains,
					     VIR_CONNECT_LIST_DOMAINS_PERSISTENT);
	char(*uuids)[SCAPH_UUID_TEXT_BYTES];
	size_t kept = 0;

	if (count < 0) {
		scaph_vm_error("libvirt does not list its domains: %s", reason());
		return -EIO;
	}
	uuids = calloc((size_t)count + 1, sizeof(*uuids));
	for (int i = 0; i < count; i++) {
		if (uuids && virDomainGetUUIDString(domains[i], uuids[kept]) == 0)
			kept++;
		virDomainFree(domains[i]);
	}
	free(domains);
	if (!uuids)
		return -ENOMEM;
	*ret_uuids = uuids;
	*ret_count = kept;
	return 0;
}

int scaph_virt_look(struct scaph_virt *virt, struct scaph_virt_domain *domain)
{
	virDomainPtr found = virDomainLookupByUUIDString(virt->connection, domain->uuid);
	int r;

	if (!found) {
		scaph_vm_error("%s: it is gone: %s", domain->shown, reason());
		return -ENOENT;
	}
	r = read_texts(found, domain);
	virDomainFree(found);
	return r;
}

int scaph_virt_define(struct scaph_virt *virt, const char *xml)
{
	virDomainPtr defined = virDomainDefineXMLFlags(virt->connection, xml, 0);

	if (!defined) {
		scaph_vm_error("libvirt does not take the definition: %s", reason());
		return -EINVAL;
	}
	virDomainFree(defined);
	return 0;
}

typedef int plug_function(virDomainPtr domain, const char *xml, unsigned int flags);

static int plug(struct scaph_virt *virt, const struct scaph_virt_domain *domain, const char *device,
		plug_function *change, const char *what)
{
	virDomainPtr found = virDomainLookupByUUIDString(virt->connection, domain->uuid);
	int r = found ? change(found, device, VIR_DOMAIN_AFFECT_LIVE) : -1;

	if (r < 0)
		scaph_vm_error("%s: libvirt does not %s: %s", domain->shown, what, reason());
	if (found)
		virDomainFree(found);
	return r < 0 ? -EIO : 0;
}

int scaph_virt_attach(struct scaph_virt *virt, const struct scaph_virt_domain *domain,
		      const char *device)
{
	return plug(virt, domain, device, virDomainAttachDeviceFlags,
		    "plug its device in; leave --live away for its next start to do that");
}

int scaph_virt_detach(struct scaph_virt *virt, const struct scaph_virt_domain *domain,
		      const char *device)
{
	return plug(virt, domain, device, virDomainDetachDeviceFlags, "plug its device out");
}

bool scaph_virt_has_group(struct scaph_virt *virt, const struct scaph_virt_domain *domain)
{
	virDomainPtr found = virDomainLookupByUUIDString(virt->connection, domain->uuid);
	char *type = found ? virDomainGetSchedulerType(found, NULL) : NULL;
	bool has = type;

	free(type);
	if (found)
		virDomainFree(found);
	return has;
}

bool scaph_virt_accepts(struct scaph_virt *virt, const char *xml)
{
	char *native = virConnectDomainXMLToNative(virt->connection, "qemu-argv", xml, 0);
	bool accepted = native;

	free(native);
	return accepted;
}

char *scaph_virt_capabilities(struct scaph_virt *virt)
{
	char *xml = virConnectGetCapabilities(virt->connection);

	if (!xml)
		scaph_vm_error("libvirt does not say what it can do: %s; restart libvirtd",
			       reason());
	return xml;
}
