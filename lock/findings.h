// SPDX-License-Identifier: Apache-2.0
/* Collecting what is wrong, to report all of it. */
#ifndef SBUILD_LOCK_FINDINGS_H
#define SBUILD_LOCK_FINDINGS_H

#include <sbuild/lock.h>

enum { SB_FINDINGS_MAX = 10000 };

sb_lock_findings *sb_lock_findings_new(void);
/* One more. The same message is added once. */
void sb_lock_findings_add(sb_lock_findings *findings, sb_errc code, const char *fmt, ...) SB_PRINTF(3, 4);
/* The error becomes one, behind "where: " unless that is NULL; clears *err. */
void sb_lock_findings_take(sb_lock_findings *findings, const char *where, sb_error **err);

#endif
