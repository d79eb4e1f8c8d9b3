/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report_json.c - findings for programs; the schema is in scaph(1)
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>

#include "consumer/doctor/options.h"
#include "consumer/doctor/report.h"

#define SCHEMA 1

static json_t *one(const struct scaph_finding *finding)
{
	json_t *object = json_object();

	json_object_set_new(object, "id", json_string(scaph_fault_id(finding->fault)));
	json_object_set_new(object, "warning",
			    json_boolean(scaph_fault_is_warning(finding->fault)));
	/* A path may be any bytes. */
	if (json_object_set_new(object, "what", json_string(finding->what)) < 0)
		json_object_set_new(object, "what", json_null());
	if (json_object_set_new(object, "mend", json_string(finding->mend)) < 0)
		json_object_set_new(object, "mend", json_null());
	return object;
}

int scaph_findings_json(const struct scaph_findings *findings)
{
	json_t *object = json_object(), *array = json_array();
	int r;

	for (uint32_t i = 0; i < findings->count; i++)
		json_array_append_new(array, one(&findings->finding[i]));
	json_object_set_new(object, "schema", json_integer(SCHEMA));
	json_object_set_new(object, "guest", json_boolean(findings->roles & SCAPH_ROLE_GUEST));
	json_object_set_new(object, "host", json_boolean(findings->roles & SCAPH_ROLE_HOST));
	json_object_set_new(object, "faults", json_integer(findings->faults));
	json_object_set_new(object, "warnings", json_integer(findings->count - findings->faults));
	json_object_set_new(object, "findings", array);
	r = json_dumpf(object, stdout, JSON_COMPACT);
	json_decref(object);
	printf("\n");
	return r == 0 && fflush(stdout) == 0 && !ferror(stdout) ? 0 : -EIO;
}
