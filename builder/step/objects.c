// SPDX-License-Identifier: Apache-2.0
/*
 * The objects of the step: each is hashed once, before its first byte goes out. The mount is read-only, so
 * what was right once stays right.
 */
#include <builder/step/server.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SLOTS = 4096 };

typedef struct object {
    struct object *next;
    sb_digest digest;
    enum { CHECKING, GOOD, BAD } state;
} object;

struct step_objects {
    int dir; /* owned; -1: there is none */
    pthread_mutex_t lock;
    pthread_cond_t checked;
    object *slots[SLOTS];
};

step_objects *step_objects_new(int dir)
{
    step_objects *objects = sb_new(step_objects);

    objects->dir = dir;
    pthread_mutex_init(&objects->lock, NULL);
    pthread_cond_init(&objects->checked, NULL);
    return objects;
}

void step_objects_free(step_objects *objects)
{
    if (!objects)
        return;
    for (size_t i = 0; i < SLOTS; i++) {
        for (object *o = objects->slots[i], *next; o; o = next) {
            next = o->next;
            free(o);
        }
    }
    if (objects->dir >= 0)
        close(objects->dir);
    pthread_cond_destroy(&objects->checked);
    pthread_mutex_destroy(&objects->lock);
    free(objects);
}

/* With the lock held. *ret_mine: it is new, and the caller's to check. */
static object *find(step_objects *objects, const sb_digest *digest, bool *ret_mine)
{
    object **slot = &objects->slots[(digest->bytes[0] | digest->bytes[1] << 8) % SLOTS];

    for (object *o = *slot; o; o = o->next)
        if (sb_digest_eq(&o->digest, digest))
            return o;
    *ret_mine = true;
    *slot = memcpy(sb_new(object), &(object){.next = *slot, .digest = *digest}, sizeof(object));
    return *slot;
}

static bool is_good(step_objects *objects, const sb_digest *digest, int fd)
{
    sb_digest actual;
    bool mine = false, good;
    object *o;

    pthread_mutex_lock(&objects->lock);
    o = find(objects, digest, &mine);
    while (!mine && o->state == CHECKING)
        pthread_cond_wait(&objects->checked, &objects->lock);
    if (mine) {
        pthread_mutex_unlock(&objects->lock);
        good = sb_digest_of_fd(SB_HASH_SHA256, fd, &actual, NULL, NULL) == 0 && sb_digest_eq(&actual, digest);
        pthread_mutex_lock(&objects->lock);
        o->state = good ? GOOD : BAD;
        pthread_cond_broadcast(&objects->checked);
    }
    good = o->state == GOOD;
    pthread_mutex_unlock(&objects->lock);
    return good;
}

int step_objects_open(step_objects *objects, const sb_digest *digest, uint64_t size)
{
    char hex[SB_DIGEST_HEX];
    sb_autoclose int fd = -1;
    struct stat st;
    int ret;

    sb_digest_hex(digest, hex);
    fd = objects->dir < 0 ? -1 : openat(objects->dir, hex, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (uint64_t)st.st_size != size ||
        !is_good(objects, digest, fd))
        return -1;
    ret = fd;
    fd = -1;
    return ret;
}
