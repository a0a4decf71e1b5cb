// SPDX-License-Identifier: Apache-2.0
/*
 * plant_tool CASES SEED DIR: writes one secret of each kind that tests/secrets/cases.txt has, DIR/KIND/FILE.
 * Prints a line for each: the kind, the file, and whether it is "line" (one line of text), "text" (of several
 * lines), or "file" (bytes, or one that counts in a file of this name only).
 */
#include <tests/secrets/samples.h>

#include <sbuild/fs.h>

#include <fcntl.h>
#include <stdio.h>

static const char *form_of(const sample *s, sb_slice text)
{
    if (s->path.ptr || (text.len && memchr(text.ptr, 0, text.len)) || text.len > 4000)
        return "file";
    return sb_slice_chr(sb_slice_trim(text), '\n') < 0 ? "line" : "text";
}

static int plant(const sample *s, uint64_t *seed, const char *dir)
{
    sb_autobuf text = SB_BUF_INIT(SAMPLE_MAX);
    sb_autofree char *kind = sb_slice_dup(s->rule);
    sb_autofree char *file = s->path.ptr ? sb_slice_dup(s->path) : sb_strdup("settings");
    sb_autofree char *path = sb_asprintf("%s/%s/%s", dir, kind, file);
    sb_autofree char *parent = sb_strndup(path, (size_t)(strrchr(path, '/') - path));
    SB_AUTO(sb_error) err = NULL;

    sample_expand(s->template, seed, &text);
    if (sb_mkdirs(parent, &err) < 0 || sb_write_file(AT_FDCWD, path, sb_buf_slice(&text), 0644, &err) < 0) {
        (void)fprintf(stderr, "plant_tool: %s\n", err->message);
        return -1;
    }
    printf("%s\t%s/%s\t%s\n", kind, kind, file, form_of(s, sb_buf_slice(&text)));
    return 0;
}

int main(int argc, char **argv)
{
    samples all;
    uint64_t seed;
    int status = 0;

    if (argc != 4 || !sb_slice_to_u64(sb_slice_z(argv[2]), &seed) || !samples_load(argv[1], &all)) {
        (void)fprintf(stderr, "usage: plant_tool CASES SEED DIR\n");
        return 2;
    }
    for (size_t i = 0; i < all.count && status == 0; i++) {
        bool first = all.items[i].positive;

        for (size_t j = 0; j < i && first; j++)
            first = !all.items[j].positive || !sb_slice_eq(all.items[j].rule, all.items[i].rule);
        if (first)
            status = plant(&all.items[i], &seed, argv[3]);
    }
    samples_free(&all);
    return status < 0;
}
