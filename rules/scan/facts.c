// SPDX-License-Identifier: Apache-2.0
/*
 * What is remembered of a layer. Of its paths only hashes are: that is enough to tell later whether a layer
 * takes away what an earlier one has, and memory stays small with a million files.
 */
#include <rules/scan/scan.h>

#include <stdarg.h>
#include <stdio.h>

sb_scan_facts *sb_scan_facts_new(void)
{
    sb_scan_facts *facts = sb_new(sb_scan_facts);

    facts->arena = sb_arena_new();
    return facts;
}

void sb_scan_facts_free(sb_scan_facts *facts)
{
    if (!facts)
        return;
    sb_arena_free(facts->arena);
    sb_error_free(facts->failure);
    free(facts->leaks);
    free(facts->spots);
    free(facts->unread);
    free(facts->seen);
    free(facts);
}

/* Seeded, so that nobody can make names that collide. The lowest bits are the kind's. */
static uint64_t hash_path(const sb_scan_run *run, sb_slice path, sb_scan_seen what)
{
    uint64_t hash = run->seed ^ (uint64_t)path.len * 0x9e3779b97f4a7c15U;

    for (size_t i = 0; i < path.len; i += 8) {
        uint64_t word = 0;

        memcpy(&word, path.ptr + i, path.len - i < 8 ? path.len - i : 8);
        hash = (hash ^ word) * 0xff51afd7ed558ccdU;
        hash = (hash ^ hash >> 32 ^ run->seed) * 0xc4ceb9fe1a85ec53U;
    }
    hash ^= hash >> 29;
    return (hash & ~(uint64_t)3) | (uint64_t)what;
}

void sb_scan_saw(sb_scan_run *run, sb_scan_facts *facts, sb_slice path, sb_scan_seen what)
{
    if (atomic_fetch_add(&run->entries, 1) >= SB_SCAN_ENTRIES_MAX) {
        facts->cut = true;
        return;
    }
    *SB_PUSH(facts->seen, facts->seen_count, facts->seen_cap) = hash_path(run, path, what);
}

static int compare_hashes(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

    return x < y ? -1 : x > y;
}

void sb_scan_facts_sort(sb_scan_facts *facts)
{
    if (facts->seen_count)
        qsort(facts->seen, facts->seen_count, sizeof(*facts->seen), compare_hashes);
}

static bool has_seen(const sb_scan_run *run, const sb_scan_facts *facts, sb_slice path, sb_scan_seen what)
{
    uint64_t hash = hash_path(run, path, what);

    return facts->seen_count &&
           bsearch(&hash, facts->seen, facts->seen_count, sizeof(*facts->seen), compare_hashes);
}

bool sb_scan_takes_away(const sb_scan_run *run, const sb_scan_facts *facts, sb_slice path, bool *ret_replaced)
{
    bool replaced = has_seen(run, facts, path, SB_SEEN_FILE) || has_seen(run, facts, path, SB_SEEN_DIR);

    *ret_replaced = replaced;
    if (replaced || has_seen(run, facts, path, SB_SEEN_WHITEOUT))
        return true;
    /* A directory above it may be gone, emptied, or no directory any more. */
    for (size_t i = path.len; i-- > 0;) {
        sb_slice above = sb_slice_sub(path, 0, i);

        if (path.ptr[i] == '/' &&
            (has_seen(run, facts, above, SB_SEEN_WHITEOUT) || has_seen(run, facts, above, SB_SEEN_OPAQUE) ||
             has_seen(run, facts, above, SB_SEEN_FILE)))
            return true;
    }
    return has_seen(run, facts, SB_LIT(""), SB_SEEN_OPAQUE);
}

sb_scan_spot *sb_scan_add_spot(sb_scan_facts *facts, const sb_rule *rule, sb_slice path, uint64_t size,
                               const char *fmt, ...)
{
    char text[600];
    sb_scan_spot *spot;
    va_list args;

    if (facts->spot_count >= SB_SCAN_SPOTS_MAX) {
        facts->cut = true;
        return NULL;
    }
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    spot = SB_PUSH(facts->spots, facts->spot_count, facts->spot_cap);
    *spot = (sb_scan_spot){.rule = rule,
                           .path = sb_arena_dup(facts->arena, path),
                           .message = sb_arena_dup(facts->arena, sb_slice_z(text)),
                           .size = size};
    return spot;
}

void sb_scan_add_unread(sb_scan_facts *facts, const sb_rule *rule, sb_slice path, const char *why)
{
    if (facts->unread_count >= SB_SCAN_UNREAD_MAX) {
        facts->cut = true;
        return;
    }
    *SB_PUSH(facts->unread, facts->unread_count, facts->unread_cap) =
        (sb_scan_unread){rule, sb_arena_dup(facts->arena, path), sb_arena_dup(facts->arena, sb_slice_z(why))};
}
