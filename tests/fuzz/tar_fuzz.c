// SPDX-License-Identifier: Apache-2.0
/* Any bytes as an archive, unpacked beside a file that nothing may reach. */
#include <sbuild/fs.h>
#include <sbuild/tree.h>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_BYTES = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char *root;
static int root_fd = -1;

static void remove_root(void)
{
    sb_remove_tree(AT_FDCWD, root, NULL);
    free(root);
    close(root_fd);
}

static void start(void)
{
    root = sb_temp_dir("sbuild-fuzz", NULL);
    if (!root || sb_open_dir(root, &root_fd, NULL) < 0 ||
        sb_write_file(root_fd, "outside", SB_LIT("untouched"), 0644, NULL) < 0)
        abort();
    atexit(remove_root);
}

static void check_outside(void)
{
    sb_autofree char *text = NULL;
    size_t len;

    if (sb_read_file(root_fd, "outside", 100, &text, &len, NULL, NULL) < 0 ||
        strcmp(text, "untouched") != 0 || faccessat(root_fd, "escaped", F_OK, AT_SYMLINK_NOFOLLOW) == 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    sb_autoclose int archive = -1, dir = -1;
    SB_AUTO(sb_error) error = NULL;

    if (root_fd < 0)
        start();
    archive = memfd_create("archive", MFD_CLOEXEC);
    if (archive < 0 || sb_write_all(archive, data, size, "archive", NULL) < 0 ||
        lseek(archive, 0, SEEK_SET) < 0 || sb_mkdirs_beneath(root_fd, "in", NULL) < 0)
        abort();
    dir = openat(root_fd, "in", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (sb_tree_unpack(archive, dir, MAX_BYTES, &error) < 0 && !error)
        abort();
    check_outside();
    if (sb_remove_tree(root_fd, "in", NULL) < 0)
        abort();
    return 0;
}
