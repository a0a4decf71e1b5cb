// SPDX-License-Identifier: Apache-2.0
/* What tests of the program inside a RUN share; include it behind cmocka.h. */
#ifndef TESTS_STEP_CONFIG_FIXTURE_H
#define TESTS_STEP_CONFIG_FIXTURE_H

#include <builder/step/run.h>

#include "tempdir.h"

/* A configuration from this JSON, written to DIR/step.json. */
static inline step_config *step_config_fixture(const tempdir *t, const char *json)
{
    step_config *config = NULL;
    SB_AUTO(sb_error) err = NULL;

    if (sb_write_file(t->dirfd, "step.json", sb_slice_z(json), 0644, NULL) < 0 ||
        step_config_load(t->dir, &config, &err) < 0)
        fail_msg("%s", err ? err->message : "cannot write step.json");
    return config;
}

#define STEP_CONFIG_REPLAY                                                                                   \
    "{\"version\":1,\"id\":\"0123456789ab\",\"label\":\"RUN "                                                \
    "make\",\"mode\":\"replay\",\"epoch\":1700000000,"                                                       \
    "\"tolerate-expiry\":true}"
#define STEP_CONFIG_RECORD                                                                                   \
    "{\"version\":1,\"id\":\"0123456789ab\",\"label\":\"RUN "                                                \
    "make\",\"mode\":\"record\",\"epoch\":1700000000,"                                                       \
    "\"nameservers\":[\"192.0.2.1\",\"2001:db8::1\"]}"

#endif
