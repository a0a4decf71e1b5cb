// SPDX-License-Identifier: Apache-2.0
/*
 * Findings that somebody has looked at and accepts. The file is read and edited by people: one entry per
 * line, and whatever is not understood is an error with its line, since a mistyped "expires" would accept for
 * ever.
 */
#include <sbuild/finding.h>

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>

#include <sbuild/fs.h>
#include <sbuild/json.h>
#include <sbuild/timefmt.h>

enum { FINGERPRINT_LEN = 32, ENTRIES_MAX = 5 * SB_FINDINGS_MAX, DATE_LEN = 10 };
enum { FILE_BYTES_MAX = 64 << 20 };

typedef struct entry {
    sb_slice fingerprint, rule, path, reason, expires; /* the last two may be absent */
    unsigned line;
} entry;

struct sb_accepted {
    sb_arena *arena;
    sb_slice name;
    entry *entries; /* by fingerprint */
    size_t count;
};

void sb_accepted_free(sb_accepted *accepted)
{
    if (!accepted)
        return;
    sb_arena_free(accepted->arena);
    free(accepted);
}

/* --- Reading --- */

/* Where the next object inside an array of the document begins, from *at on, which moves behind its brace.
 * The document is known to be JSON. */
static void next_entry_line(sb_slice text, size_t *at, int *depth, unsigned *line)
{
    bool in_string = false;

    for (; *at < text.len; (*at)++) {
        char c = text.ptr[*at];

        if (c == '\n')
            ++*line;
        if (in_string && c == '\\')
            ++*at;
        else if (c == '"')
            in_string = !in_string;
        else if (in_string)
            continue;
        else if (c == '}' || c == ']')
            --*depth;
        else if ((c == '{' || c == '[') && ++*depth == 3) {
            ++*at;
            return;
        }
    }
}

static bool is_fingerprint(sb_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (sb_hex_value(text.ptr[i]) < 0 || (text.ptr[i] >= 'A' && text.ptr[i] <= 'F'))
            return false;
    return text.len == FINGERPRINT_LEN;
}

/* "2027-01-31", a day that there is. */
static bool is_date(sb_slice text)
{
    char whole[DATE_LEN + sizeof("T00:00:00Z")];
    char back[SB_TIME_TEXT];
    int64_t when;

    if (text.len != DATE_LEN)
        return false;
    snprintf(whole, sizeof(whole), "%.*sT00:00:00Z", DATE_LEN, text.ptr);
    if (!sb_time_parse(sb_slice_z(whole), &when))
        return false;
    sb_time_format(when, back);
    return sb_slice_eqz(sb_slice_z(whole), back);
}

static int check_members(const json_t *object, const char *const *known, size_t count, const char *place,
                         sb_error **err)
{
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        sb_autofree char *shown = sb_printable(sb_slice_z(key));
        size_t i = 0;

        while (i < count && strcmp(key, known[i]) != 0)
            i++;
        if (i == count)
            return sb_fail(err, SB_ERR_USAGE, "%s: \"%s\" is not known here", place, shown);
    }
    return 0;
}

static int read_text(sb_accepted *accepted, const json_t *object, const char *key, bool required,
                     const char *place, sb_slice *ret_text, sb_error **err)
{
    const json_t *value = json_object_get(object, key);

    if (value && !json_is_string(value))
        return sb_fail(err, SB_ERR_USAGE, "%s: \"%s\" must be a string", place, key);
    if (!value && required)
        return sb_fail(err, SB_ERR_USAGE, "%s: there is no \"%s\"", place, key);
    if (value)
        *ret_text = sb_arena_dup(accepted->arena, sb_json_str(object, key));
    return 0;
}

static int read_entry(sb_accepted *accepted, const json_t *json, unsigned line, entry *e, sb_error **err)
{
    static const char *const known[] = {"fingerprint", "rule", "path", "reason", "expires"};
    sb_autofree char *place = sb_asprintf("%" SB_FMT ":%u", SB_ARG(accepted->name), line);

    e->line = line;
    if (!json_is_object(json))
        return sb_fail(err, SB_ERR_USAGE, "%s: an entry must be an object", place);
    if (check_members(json, known, SB_COUNT(known), place, err) < 0 ||
        read_text(accepted, json, "fingerprint", true, place, &e->fingerprint, err) < 0 ||
        read_text(accepted, json, "rule", true, place, &e->rule, err) < 0 ||
        read_text(accepted, json, "path", false, place, &e->path, err) < 0 ||
        read_text(accepted, json, "reason", false, place, &e->reason, err) < 0 ||
        read_text(accepted, json, "expires", false, place, &e->expires, err) < 0)
        return -1;
    if (!is_fingerprint(e->fingerprint))
        return sb_fail(err, SB_ERR_USAGE, "%s: \"fingerprint\" must be %d hexadecimal digits in lower case",
                       place, FINGERPRINT_LEN);
    if (e->expires.ptr && !is_date(e->expires))
        return sb_fail(err, SB_ERR_USAGE, "%s: \"expires\" must be a day as 2027-01-31", place);
    return 0;
}

static int compare_fingerprints(const void *left, const void *right)
{
    const entry *a = left, *b = right;
    int order = sb_slice_cmp(a->fingerprint, b->fingerprint);

    return order ? order : a->line < b->line ? -1 : a->line > b->line;
}

int sb_accepted_parse(sb_slice text, const char *name, sb_accepted **ret_accepted, sb_error **err)
{
    static const char *const known[] = {"version", "accepted"};
    sb_autofree char *shown = sb_printable(sb_slice_z(name));
    SB_AUTO(sb_accepted) accepted = sb_new(sb_accepted);
    sb_autojson *json = NULL;
    const json_t *list;
    unsigned line = 1;
    size_t at = 0;
    int depth = 0;

    accepted->arena = sb_arena_new();
    accepted->name = sb_arena_dup(accepted->arena, sb_slice_z(shown));
    if (sb_json_parse(text, shown, &json, err) < 0)
        return -1;
    if (!json_is_object(json))
        return sb_fail(err, SB_ERR_USAGE, "%s:1: must be an object with \"version\" and \"accepted\"", shown);
    if (check_members(json, known, SB_COUNT(known), shown, err) < 0)
        return -1;
    if (sb_json_int(json, "version", 0) != 1)
        return sb_fail(err, SB_ERR_USAGE, "%s: \"version\" must be 1; a later sbuild may know more", shown);
    list = sb_json_array(json, "accepted");
    if (!list)
        return sb_fail(err, SB_ERR_USAGE, "%s: \"accepted\" must be a list", shown);
    accepted->count = json_array_size(list);
    if (accepted->count > ENTRIES_MAX)
        return sb_fail(err, SB_ERR_LIMIT, "%s: more than %d entries", shown, ENTRIES_MAX);
    accepted->entries = sb_arena_array(accepted->arena, entry, accepted->count + 1);
    for (size_t i = 0; i < accepted->count; i++) {
        next_entry_line(text, &at, &depth, &line);
        if (read_entry(accepted, json_array_get(list, i), line, &accepted->entries[i], err) < 0)
            return -1;
    }
    if (accepted->count)
        qsort(accepted->entries, accepted->count, sizeof(entry), compare_fingerprints);
    *ret_accepted = SB_TAKE(accepted);
    return 0;
}

int sb_accepted_load(const char *path, bool *ret_missing, sb_accepted **ret_accepted, sb_error **err)
{
    sb_autofree char *text = NULL;
    size_t len;

    if (sb_read_file(AT_FDCWD, path, FILE_BYTES_MAX, &text, &len, ret_missing, err) < 0)
        return -1;
    return sb_accepted_parse(sb_slice_of(text, len), path, ret_accepted, err);
}

/* --- Marking --- */

/* Today in UTC, as entries write days. */
static void today(char ret_date[SB_TIME_TEXT])
{
    sb_time_format((int64_t)time(NULL), ret_date);
    ret_date[DATE_LEN] = '\0';
}

static bool is_expired(const entry *e, const char *day)
{
    return e->expires.ptr && sb_slice_cmp(e->expires, sb_slice_z(day)) < 0;
}

/* An entry must name the rule as well: a reviewer reads that, and not the fingerprint. */
static const entry *find_entry(const sb_accepted *accepted, const sb_finding *f)
{
    size_t low = 0, high = accepted->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (sb_slice_cmp(accepted->entries[middle].fingerprint, f->fingerprint) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < accepted->count && sb_slice_eq(accepted->entries[low].fingerprint, f->fingerprint); low++)
        if (sb_slice_eq_nocase(accepted->entries[low].rule, sb_slice_z(f->rule->id)) ||
            sb_slice_eq_nocase(accepted->entries[low].rule, sb_slice_z(f->rule->name)))
            return &accepted->entries[low];
    return NULL;
}

static int check_reasons(const sb_accepted *accepted, sb_error **err)
{
    const entry *first = NULL; /* in the file */

    for (size_t i = 0; i < accepted->count; i++) {
        const entry *e = &accepted->entries[i];

        if (!sb_slice_trim(e->reason).len && (!first || e->line < first->line))
            first = e;
    }
    if (!first)
        return 0;
    return sb_fail(err, SB_ERR_USAGE, "%" SB_FMT ":%u: reasons are required, and this entry has none",
                   SB_ARG(accepted->name), first->line);
}

static void accept(sb_report *report, sb_finding *f, const entry *e, const char *day)
{
    enum { REASON_MAX = 1000 };
    sb_autobuf reason = SB_BUF_INIT(8 * REASON_MAX);

    if (is_expired(e, day)) {
        f->message = sb_arena_printf(report->arena, "%" SB_FMT " (was accepted until %" SB_FMT ")",
                                     SB_ARG(f->message), SB_ARG(e->expires));
        return;
    }
    sb_buf_add_printable(&reason, e->reason, REASON_MAX);
    f->ignored = sb_arena_dup(report->arena, sb_buf_slice(&reason));
    f->accepted = true;
}

int sb_accepted_apply(const sb_accepted *accepted, sb_report *report, bool require_reason, size_t *ret_stale,
                      sb_error **err)
{
    sb_autofree bool *used = sb_new_array(bool, accepted->count + 1);
    char day[SB_TIME_TEXT];
    size_t stale = 0;

    if (require_reason && check_reasons(accepted, err) < 0)
        return -1;
    today(day);
    for (size_t i = 0; i < report->count; i++) {
        sb_finding *f = &report->items[i];
        const entry *e = find_entry(accepted, f);

        if (!e)
            continue;
        used[e - accepted->entries] = true;
        if (!f->ignored.ptr)
            accept(report, f, e, day);
    }
    for (size_t i = 0; i < accepted->count; i++)
        stale += !used[i];
    if (ret_stale)
        *ret_stale = stale;
    return 0;
}

/* --- Writing --- */

static int compare_entries(const void *left, const void *right)
{
    const entry *a = left, *b = right;
    int order = sb_slice_cmp(a->path, b->path);

    if (!order)
        order = sb_slice_cmp(a->rule, b->rule);
    return order ? order : sb_slice_cmp(a->fingerprint, b->fingerprint);
}

static void add_member(sb_buf *out, const char *key, sb_slice value)
{
    if (!value.ptr)
        return;
    sb_buf_printf(out, "%s\"%s\": ", *key == 'f' ? "{" : ", ", key);
    sb_buf_add_json(out, value);
}

static void add_entry(sb_buf *out, const entry *e, bool last)
{
    sb_buf_addz(out, "    ");
    add_member(out, "fingerprint", e->fingerprint);
    add_member(out, "rule", e->rule);
    add_member(out, "path", e->path);
    add_member(out, "reason", e->reason);
    add_member(out, "expires", e->expires);
    sb_buf_addz(out, last ? "}\n" : "},\n");
}

/* The findings that are not ignored by a comment, each fingerprint once. */
static size_t collect(const sb_report *report, const sb_accepted *old, const char *reason, entry *entries)
{
    size_t count = 0, kept = 0;

    for (size_t i = 0; i < report->count; i++) {
        const sb_finding *f = &report->items[i];
        const entry *before = old ? find_entry(old, f) : NULL;

        if (!f->fingerprint.ptr || (f->ignored.ptr && !(f->accepted && before)))
            continue;
        entries[count++] = (entry){
            .fingerprint = f->fingerprint,
            .rule = sb_slice_z(f->rule->id),
            .path = f->place.where.ptr ? f->place.where : f->file,
            .reason = before ? before->reason : sb_slice_z(reason),
            .expires =
                before && f->accepted ? before->expires : SB_NIL, /* else it is over, and begins anew */
        };
    }
    if (count)
        qsort(entries, count, sizeof(*entries), compare_entries);
    for (size_t i = 0; i < count; i++)
        if (!kept || compare_entries(&entries[kept - 1], &entries[i]) != 0)
            entries[kept++] = entries[i];
    return kept;
}

int sb_accepted_rewrite(const sb_accepted *old, const sb_report *report, const char *reason, sb_buf *out,
                        sb_error **err)
{
    sb_autofree entry *entries = sb_new_array(entry, report->count + 1);
    size_t count = collect(report, old, reason, entries);

    sb_buf_addz(out, "{\n  \"version\": 1,\n  \"accepted\": [\n");
    for (size_t i = 0; i < count; i++)
        add_entry(out, &entries[i], i + 1 == count);
    sb_buf_addz(out, "  ]\n}\n");
    return sb_buf_check(out, "the list of accepted findings", err);
}

int sb_accepted_write(const sb_report *report, const char *reason, sb_buf *out, sb_error **err)
{
    return sb_accepted_rewrite(NULL, report, reason, out, err);
}

int sb_accepted_save(const sb_accepted *old, const sb_report *report, const char *path, sb_error **err)
{
    sb_autobuf out = SB_BUF_INIT(FILE_BYTES_MAX);

    if (sb_accepted_rewrite(old, report, NULL, &out, err) < 0)
        return -1;
    return sb_write_file(AT_FDCWD, path, sb_buf_slice(&out), 0666, err);
}
