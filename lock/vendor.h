// SPDX-License-Identifier: Apache-2.0
/* The parts of `sbuild vendor` between themselves. */
#ifndef SBUILD_LOCK_VENDOR_H
#define SBUILD_LOCK_VENDOR_H

#include <lock/objects.h>

/* vendor_fetch.c: brings the objects, which no store has, into the cache, each verified against the lock. */
int sb_vendor_fetch(sb_project *project, const sb_needed *const *items, size_t count, sb_error **err);

/* vendor_prune.c: removes what neither `lock` nor another lock of this context needs. */
int sb_vendor_prune(sb_project *project, const sb_lock *lock, sb_store *store, sb_vendor_report *report,
                    sb_error **err);

#endif
