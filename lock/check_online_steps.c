// SPDX-License-Identifier: Apache-2.0
/*
 * Would the steps download the same today? Package indexes change every day, so what differs is told in one
 * line for each step and host, not for each URL. Only what a plain GET gives is asked for again.
 */
#include <lock/check.h>

#include <stdlib.h>

#include <lock/objects.h>
#include <lock/project.h>

enum { EXAMPLES = 3 };

typedef struct outcome { /* what is wrong with downloads of one step from one host */
    const sb_lock_step *step;
    sb_slice host;
    sb_errc code;
    size_t count;
    sb_slice examples[EXAMPLES];
} outcome;

typedef struct asker {
    sb_check *check;
    outcome *outcomes;
    size_t count, cap;
} asker;

static void note(asker *a, const sb_needed *needed, sb_errc code)
{
    sb_slice host = sb_url_host(needed->url);
    outcome *o = NULL;

    for (size_t i = 0; i < a->count && !o; i++)
        if (a->outcomes[i].step == needed->step && a->outcomes[i].code == code &&
            sb_slice_eq(a->outcomes[i].host, host))
            o = &a->outcomes[i];
    if (!o) {
        o = SB_ARENA_PUSH(a->check->arena, a->outcomes, a->count, a->cap);
        *o = (outcome){.step = needed->step, .host = host, .code = code};
    }
    if (o->count < EXAMPLES)
        o->examples[o->count] = needed->url;
    o->count++;
}

static void tell(sb_check *check, const outcome *o)
{
    enum { LIST_MAX = 4096, SHOWN = 300 };
    sb_autobuf list = SB_BUF_INIT(LIST_MAX);
    sb_slice where = sb_check_step_where(check, o->step);
    char id[SB_STEP_ID_LEN + 1];
    bool one = o->count == 1;

    for (size_t i = 0; i < o->count && i < EXAMPLES; i++) {
        sb_autofree char *url = sb_url_shown(o->examples[i]);

        sb_buf_printf(&list, "%s%.*s", i ? ", " : "", SHOWN, url);
    }
    if (o->count > EXAMPLES)
        sb_buf_printf(&list, " and %zu more", o->count - EXAMPLES);
    sb_step_id(o->step->stage, &o->step->text, o->step->nth, o->step->platform, id);
    if (o->code == SB_ERR_GONE)
        sb_lock_findings_add(check->findings, SB_ERR_GONE,
                             "%" SB_FMT
                             ": %zu of its downloads %s gone upstream: %.*s; keep %s, which still has %s",
                             SB_ARG(where), o->count, one ? "is" : "are", (int)list.len, list.data,
                             SB_STORE_NAME, one ? "it" : "them");
    else
        sb_lock_findings_add(
            check->findings, o->code,
            "%" SB_FMT ": %zu of its downloads %s other bytes now than the lock says: %.*s; to take them, "
            "run \"sbuild lock --update=%s\"",
            SB_ARG(where), o->count, one ? "has" : "have", (int)list.len, list.data, id);
}

static void judge(void *ctx, const sb_probe *probe, sb_error **why)
{
    asker *a = ctx;
    const sb_needed *needed = probe->subject;
    sb_errc code = sb_error_code(*why);

    if (code == SB_ERR_NOT_FOUND || code == SB_ERR_GONE)
        note(a, needed, SB_ERR_GONE);
    else if (code == SB_ERR_VERIFY || code == SB_ERR_LIMIT)
        note(a, needed, SB_ERR_DRIFT);
    else
        sb_lock_findings_take(a->check->findings, sb_check_step_where(a->check, needed->step).ptr, why);
}

/* Several steps may ask for the same: it is asked for once. */
static int by_url(const void *a, const void *b)
{
    const sb_probe *one = a, *other = b;
    int order = sb_slice_cmp(one->url, other->url);

    return order ? order : sb_digest_cmp(one->digest, other->digest);
}

int sb_check_online_steps(sb_check *check, sb_error **err)
{
    asker a = {.check = check};
    sb_needed_list list = {0};
    sb_autofree sb_probe *probes = NULL;
    size_t count = 0, n = 0;

    sb_check_load_steps(check, &list);
    probes = sb_new_array(sb_probe, list.count + 1);
    for (size_t i = 0; i < list.count; i++) {
        const sb_needed *needed = &list.items[i];

        if (needed->url.ptr)
            probes[count++] =
                (sb_probe){.url = needed->url,
                           .headers = needed->accept.ptr ? sb_needed_headers(needed, check->arena) : NULL,
                           .digest = &needed->digest,
                           .size = needed->size,
                           .last_modified = needed->last_modified,
                           .etag = needed->etag,
                           .quiet = true,
                           .subject = needed};
    }
    if (count > 1)
        qsort(probes, count, sizeof(*probes), by_url);
    for (size_t i = 0; i < count; i++)
        if (!i || by_url(&probes[i - 1], &probes[i]) != 0)
            probes[n++] = probes[i];
    if (n)
        sb_progress_line(check->project->progress, SB_EVENT_NOTE,
                         "asking again for %zu downloads of RUN instructions", n);
    if (sb_check_probe(check, probes, n, judge, &a, err) < 0)
        return -1;
    for (size_t i = 0; i < a.count; i++)
        tell(check, &a.outcomes[i]);
    return 0;
}
