// SPDX-License-Identifier: Apache-2.0
/* Runs the files of a corpus through a fuzz target once, so that every compiler and every test run has them.
 */
#include <sbuild/fs.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

enum { CORPUS_FILE_MAX = 16 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(int dirfd, const char *name)
{
    SB_AUTO(sb_error) error = NULL;
    sb_autofree char *data = NULL;
    size_t len;

    if (sb_read_file(dirfd, name, CORPUS_FILE_MAX, &data, &len, NULL, &error) < 0) {
        fprintf(stderr, "%s: %s\n", name, error->message);
        return -1;
    }
    LLVMFuzzerTestOneInput((const uint8_t *)data, len);
    return 0;
}

int main(int argc, char **argv)
{
    size_t count = 0;
    struct dirent *entry;
    DIR *dir;

    if (argc != 2 || !(dir = opendir(argv[1]))) {
        fprintf(stderr, "usage: %s CORPUS_DIRECTORY\n", argv[0]);
        return 2;
    }
    while ((entry = readdir(dir))) {
        if (entry->d_name[0] == '.')
            continue;
        if (run_file(dirfd(dir), entry->d_name) < 0)
            return 1;
        count++;
    }
    closedir(dir);
    printf("%zu inputs\n", count);
    return count > 0 ? 0 : 1;
}
