// SPDX-License-Identifier: Apache-2.0
#include <lock/findings.h>

#include <stdarg.h>

/* The public structure comes first, so that a pointer to it is one to the whole. */
typedef struct whole_findings {
    sb_lock_findings findings;
    size_t cap;
} whole_findings;

sb_lock_findings *sb_lock_findings_new(void)
{
    whole_findings *all = sb_new(whole_findings);

    all->findings.arena = sb_arena_new();
    return &all->findings;
}

void sb_lock_findings_free(sb_lock_findings *findings)
{
    if (!findings)
        return;
    sb_arena_free(findings->arena);
    free(findings);
}

void sb_lock_findings_add(sb_lock_findings *findings, sb_errc code, const char *fmt, ...)
{
    whole_findings *all = (whole_findings *)findings;
    sb_autofree char *message = NULL;
    va_list args;
    int len;

    va_start(args, fmt);
    len = vasprintf(&message, fmt, args);
    va_end(args);
    if (len < 0 || findings->count > SB_FINDINGS_MAX)
        return;
    sb_scrub(message);
    if (findings->count == SB_FINDINGS_MAX) {
        free(message);
        message = sb_asprintf("there are more than %d findings; the rest is not listed", SB_FINDINGS_MAX);
    }
    for (size_t i = 0; i < findings->count; i++)
        if (findings->items[i].code == code && sb_slice_eqz(findings->items[i].message, message))
            return;
    *SB_ARENA_PUSH(findings->arena, findings->items, findings->count, all->cap) =
        (sb_lock_finding){.code = code, .message = sb_arena_dup(findings->arena, sb_slice_z(message))};
}

void sb_lock_findings_take(sb_lock_findings *findings, const char *where, sb_error **err)
{
    if (!*err)
        return;
    sb_lock_findings_add(findings, (*err)->code, "%s%s%s", where ? where : "", where ? ": " : "",
                         (*err)->message);
    sb_error_free(*err);
    *err = NULL;
}
