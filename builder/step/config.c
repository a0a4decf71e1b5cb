// SPDX-License-Identifier: Apache-2.0
/* step.json: what the host says about the step. */
#include <builder/step/step.h>
#include <sbuild/fs.h>
#include <sbuild/json.h>

#include <arpa/inet.h>
#include <fcntl.h>

enum { ID_LEN = 12, CONFIG_MAX = 64 << 10, NAMESERVERS_MAX = 8 };

void step_config_free(step_config *config)
{
    sb_arena_free(config->arena);
    free(config);
}

static bool is_id(sb_slice id)
{
    for (size_t i = 0; i < id.len; i++)
        if (sb_hex_value(id.ptr[i]) < 0)
            return false;
    return id.len == ID_LEN;
}

static int read_nameservers(step_config *config, const json_t *object, const char *path, sb_error **err)
{
    const json_t *list = sb_json_array(object, "nameservers");
    size_t count = json_array_size(list);

    if (count > NAMESERVERS_MAX)
        count = NAMESERVERS_MAX; /* a resolver asks the first ones alone */
    config->nameservers = sb_arena_array(config->arena, sb_slice, count + 1);
    for (size_t i = 0; i < count; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        struct in6_addr address;

        if (!text || (inet_pton(AF_INET, text, &address) != 1 && inet_pton(AF_INET6, text, &address) != 1))
            return sb_fail(err, SB_ERR_PARSE, "%s: nameservers[%zu] is no address", path, i);
        config->nameservers[config->nameserver_count++] = sb_arena_dup(config->arena, sb_slice_z(text));
    }
    return 0;
}

static bool read_mode(sb_slice text, step_mode *ret_mode)
{
    static const char *const names[] = {
        [STEP_REPLAY] = "replay", [STEP_RECORD] = "record", [STEP_OPEN] = "open"};

    for (size_t i = 0; i < SB_COUNT(names); i++) {
        if (sb_slice_eqz(text, names[i])) {
            *ret_mode = (step_mode)i;
            return true;
        }
    }
    return false;
}

static int read_config(step_config *config, const json_t *object, const char *path, sb_error **err)
{
    sb_slice mode = sb_json_str(object, "mode");
    sb_slice id = sb_json_str(object, "id");

    if (sb_json_int(object, "version", 0) != 1)
        return sb_fail(err, SB_ERR_PARSE, "%s: of another version of sbuild", path);
    if (!is_id(id))
        return sb_fail(err, SB_ERR_PARSE, "%s: id has to be %d hex digits", path, ID_LEN);
    if (!read_mode(mode, &config->mode))
        return sb_fail(err, SB_ERR_PARSE, "%s: mode has to be replay, record or open", path);
    config->id = sb_arena_dup(config->arena, id);
    config->label = sb_arena_dup(config->arena, sb_json_str(object, "label"));
    config->epoch = sb_json_int(object, "epoch", 0);
    config->tolerate_expiry = sb_json_bool(object, "tolerate-expiry", false);
    return read_nameservers(config, object, path, err);
}

int step_config_load(const char *dir, step_config **ret_config, sb_error **err)
{
    SB_AUTO(step_config) config = sb_new(step_config);
    sb_autojson *json = NULL;
    sb_autofree char *path = sb_asprintf("%s/step.json", dir);
    sb_autofree char *text = NULL;
    size_t len;

    config->arena = sb_arena_new();
    config->dir = sb_arena_strdup(config->arena, sb_slice_z(dir));
    config->rec_dir = SB_STEP_REC_DIR;
    if (sb_read_file(AT_FDCWD, path, CONFIG_MAX, &text, &len, NULL, err) < 0 ||
        sb_json_parse(sb_slice_of(text, len), path, &json, err) < 0 ||
        read_config(config, json, path, err) < 0)
        return -1;
    *ret_config = SB_TAKE(config);
    return 0;
}
