// SPDX-License-Identifier: Apache-2.0
/*
 * Secrets in what an image says of itself: its configuration, its history, annotations, attestations. Each
 * string is looked through by itself, so that a finding says where it stands.
 */
#include <rules/scan/scan.h>

#include <stdio.h>
#include <stdlib.h>

enum { MATCHES_MAX = 512 /* of one string */, PLACE_MAX = 600, SHOWN_MAX = 2000, DEPTH_MAX = 60 };

typedef struct text_match {
    const char *id, *title;
    bool generic;
    uint64_t offset;
    size_t len;
    sb_slice redacted;
    unsigned char hash[SB_SECRET_HASH];
    bool told; /* already: the same one at this place */
} text_match;

typedef struct texts {
    sb_scan_run *run;
    sb_secret_scanner *scanner;
    sb_report *report;
    sb_arena *arena; /* the report's */
    const sb_rule *rule;
    sb_buf place;
    text_match matches[MATCHES_MAX];
    size_t match_count;
    sb_slice *told; /* hashes, of the list that is being looked at */
    size_t told_count, told_cap;
} texts;

static bool found(void *ctx, const sb_secret_match *match)
{
    texts *t = ctx;
    sb_autobuf shown = SB_BUF_INIT(4096);

    if (t->match_count >= MATCHES_MAX)
        return false;
    sb_secret_redact(match, &shown);
    t->matches[t->match_count] = (text_match){
        .id = match->id,
        .title = match->title,
        .generic = match->generic,
        .offset = match->offset,
        .len = match->len,
        .redacted = sb_arena_dup(t->arena, sb_buf_slice(&shown)),
    };
    sb_secret_hash(match, t->matches[t->match_count++].hash);
    return true;
}

static int compare_matches(const void *a, const void *b)
{
    uint64_t x = ((const text_match *)a)->offset, y = ((const text_match *)b)->offset;

    return x < y ? -1 : x > y;
}

/* The text on one line, with what was found in it redacted. */
static sb_slice shown_text(const texts *t, sb_slice text, size_t max)
{
    sb_autobuf out = SB_BUF_INIT(SHOWN_MAX * 4 + 100);
    size_t at = 0;

    for (size_t i = 0; i < t->match_count; i++) {
        const text_match *match = &t->matches[i];

        if (match->offset < at || match->offset > text.len || match->len > text.len - match->offset)
            continue;
        sb_buf_add_printable(&out, sb_slice_sub(text, at, (size_t)match->offset), SHOWN_MAX);
        sb_buf_adds(&out, match->redacted);
        at = (size_t)match->offset + match->len;
    }
    sb_buf_add_printable(&out, sb_slice_sub(text, at, text.len), SHOWN_MAX);
    for (size_t i = 0; i < out.len; i++)
        if (out.data[i] == '\t')
            out.data[i] = ' ';
    if (out.len > max) {
        out.len = max;
        while (out.len > 0 && ((unsigned char)out.data[out.len] & 0xc0) == 0x80)
            out.len--;
    }
    return sb_arena_dup(t->arena, sb_buf_slice(&out));
}

static void scan_text(texts *t, sb_slice text)
{
    t->match_count = 0;
    sb_secret_scan_begin(t->scanner, sb_buf_slice(&t->place), found, t);
    sb_secret_scan_add(t->scanner, text.ptr, text.len);
    sb_secret_scan_end(t->scanner);
    qsort(t->matches, t->match_count, sizeof(*t->matches), compare_matches);
}

static void say_matches(texts *t, sb_slice text)
{
    sb_autofree char *place = sb_printable(sb_buf_slice(&t->place));

    for (size_t i = 0; i < t->match_count; i++) {
        const text_match *match = &t->matches[i];
        sb_finding *finding;

        if (match->told)
            continue;
        finding = sb_scan_say(t->run, t->report, match->generic ? &sb908_likely : t->rule,
                              "%s %" SB_FMT " in %s", match->title, SB_ARG(match->redacted), place);

        if (!finding)
            continue;
        finding->kind = sb_arena_dup(t->arena, sb_slice_z(match->id));
        finding->place.where = sb_arena_dup(t->arena, sb_slice_z(place));
        sb_scan_print_later(t->run, t->report, finding, match->id, match->hash,
                            sb_arena_dup(t->arena, sb_buf_slice(&t->place)));
        finding->excerpt = shown_text(t, text, SB_EXCERPT_MAX);
    }
}

static void look_at(texts *t, sb_slice text)
{
    scan_text(t, text);
    say_matches(t, text);
}

/* --- JSON --- */

static bool is_digest(sb_slice text)
{
    return text.len == 71 && sb_slice_starts(text, SB_LIT("sha256:"));
}

/* Lists of words are also looked at as one line: an option and its value stand in two of them. */
static bool all_strings(const json_t *array)
{
    for (size_t i = 0; i < json_array_size(array); i++)
        if (!json_is_string(json_array_get(array, i)))
            return false;
    return true;
}

static bool is_command(const char *key)
{
    return key && (strcmp(key, "Cmd") == 0 || strcmp(key, "Entrypoint") == 0 || strcmp(key, "Test") == 0 ||
                   strcmp(key, "Shell") == 0);
}

static void look_at_once(texts *t, sb_slice text)
{
    scan_text(t, text);
    for (size_t i = 0; i < t->match_count; i++) {
        text_match *match = &t->matches[i];
        sb_slice hash = sb_slice_of((const char *)match->hash, sizeof(match->hash));

        for (size_t j = 0; j < t->told_count && !match->told; j++)
            match->told = sb_slice_eq(t->told[j], hash);
        if (!match->told && t->told_count < MATCHES_MAX)
            *SB_ARENA_PUSH(t->arena, t->told, t->told_count, t->told_cap) = sb_arena_dup(t->arena, hash);
    }
    say_matches(t, text);
}

/* Each word, since some formats are only known from a beginning; then all of them. */
static void look_at_words(texts *t, const json_t *array)
{
    sb_autobuf line = SB_BUF_INIT(SB_SCAN_DOCUMENT_MAX);

    t->told_count = 0;
    for (size_t i = 0; i < json_array_size(array); i++) {
        const json_t *word = json_array_get(array, i);
        sb_slice text = sb_json_text(word);

        look_at_once(t, text);
        if (i > 0)
            sb_buf_addc(&line, ' ');
        sb_buf_adds(&line, text);
    }
    look_at_once(t, sb_buf_slice(&line));
}

/* A member that is named by people tells what its value is: "password: …". */
static void look_at_string(texts *t, const char *key, const json_t *string)
{
    sb_slice value = sb_json_text(string);
    sb_autobuf line = SB_BUF_INIT((size_t)SB_SCAN_DOCUMENT_MAX * 2);

    if (value.len == 0 || is_digest(value))
        return;
    if (!key) {
        look_at(t, value);
        return;
    }
    sb_buf_addz(&line, key);
    sb_buf_addc(&line, '=');
    sb_buf_adds(&line, value);
    look_at(t, sb_buf_slice(&line));
}

static void look_at_json(texts *t, const char *key, json_t *json, unsigned depth)
{
    size_t len = t->place.len, i;
    const char *name;
    json_t *value;

    if (depth > DEPTH_MAX || sb_interrupted)
        return;
    if (json_is_string(json)) {
        look_at_string(t, key, json);
    } else if (json_is_array(json) && is_command(key) && all_strings(json)) {
        look_at_words(t, json);
    } else if (json_is_array(json)) {
        json_array_foreach(json, i, value)
        {
            sb_buf_printf(&t->place, "[%zu]", i);
            look_at_json(t, NULL, value, depth + 1);
            t->place.len = len;
            t->place.overflow = false;
        }
    } else if (json_is_object(json)) {
        json_object_foreach(json, name, value)
        {
            sb_buf_printf(&t->place, "%s%s", len ? "." : "", name);
            look_at_json(t, name, value, depth + 1);
            t->place.len = len;
            t->place.overflow = false;
        }
    }
}

/* --- The image --- */

static void look_at_history(texts *t, sb_scan_image *image, const json_t *config)
{
    json_t *history = sb_json_array(config, "history"), *entry;
    size_t i;

    t->rule = &sb904_history;
    image->history_count = json_array_size(history);
    image->history = sb_arena_array(t->arena, sb_slice, image->history_count + 1);
    json_array_foreach(history, i, entry)
    {
        sb_slice created_by = sb_json_str(entry, "created_by"), comment = sb_json_str(entry, "comment");

        sb_buf_reset(&t->place);
        sb_buf_printf(&t->place, "history[%zu]", i);
        t->match_count = 0;
        if (comment.len > 0)
            look_at(t, comment);
        t->match_count = 0;
        if (created_by.len > 0)
            look_at(t, created_by);
        image->history[i] = shown_text(t, created_by.len ? created_by : SB_LIT(""), SHOWN_MAX);
        if (created_by.len == 0 && comment.len > 0)
            image->history[i] = shown_text(t, comment, SHOWN_MAX);
    }
}

/* The entries that are no empty layer, in order, when there are as many as layers. */
static void give_layers_history(sb_scan_image *image, const json_t *config)
{
    json_t *history = sb_json_array(config, "history");
    size_t filled = 0, layer = 0;

    for (size_t i = 0; i < image->history_count; i++)
        filled += !sb_json_bool(json_array_get(history, i), "empty_layer", false);
    if (filled != image->layer_count)
        return;
    for (size_t i = 0; i < image->history_count; i++)
        if (!sb_json_bool(json_array_get(history, i), "empty_layer", false))
            image->layers[layer++].history = image->history[i];
}

static void look_at_config(texts *t, sb_scan_image *image)
{
    static const char *const others[] = {"config", "container_config", "author", "os.features"};
    sb_autojson *config = NULL;

    if (!image->config.ptr || sb_json_parse(image->config, "the image configuration", &config, NULL) < 0)
        return;
    look_at_history(t, image, config);
    give_layers_history(image, config);
    t->rule = &sb903_config;
    for (size_t i = 0; i < SB_COUNT(others); i++) {
        json_t *part = json_object_get(config, others[i]);

        sb_buf_reset(&t->place);
        sb_buf_addz(&t->place, others[i]);
        if (part)
            look_at_json(t, others[i], part, 0);
    }
}

static void look_at_document(texts *t, const sb_scan_document *document)
{
    sb_autojson *json = NULL;

    sb_buf_reset(&t->place);
    sb_buf_addz(&t->place, document->place);
    t->rule = document->rule;
    if (document->cut) {
        sb_finding *finding = sb_scan_say(
            t->run, t->report, &sb801_archive_limit,
            "%s could not be read, or has more than %d MiB (all of them %d), and was not looked at",
            document->place, SB_SCAN_DOCUMENT_MAX >> 20, SB_SCAN_DOCUMENTS_MAX >> 20);

        if (finding)
            finding->place.where = sb_arena_dup(t->arena, sb_slice_z(document->place));
        return;
    }
    if (sb_json_parse(document->text, document->place, &json, NULL) < 0)
        look_at(t, document->text);
    else
        look_at_json(t, NULL, json, 0);
}

void sb_scan_texts(sb_scan_run *run, sb_scan_image *image, sb_report *report)
{
    sb_autofree texts *t = sb_new(texts);

    t->run = run;
    t->scanner = sb_secret_scanner_new(run->secrets);
    t->report = report;
    t->arena = report->arena;
    t->place = SB_BUF_INIT(PLACE_MAX);
    look_at_config(t, image);
    for (size_t i = 0; i < image->document_count; i++)
        look_at_document(t, &image->documents[i]);
    sb_buf_free(&t->place);
    sb_secret_scanner_free(t->scanner);
}
