// SPDX-License-Identifier: Apache-2.0
/* The rules about finished images: SB8xx what is in them, SB9xx secrets, by place. */
#include <rules/lint/lint.h>
#include <rules/scan/scan.h>

#define RULE(variable, number, title, level, once, what, help)                                               \
    const sb_rule variable = {.id = "SB" number,                                                             \
                              .name = title,                                                                 \
                              .summary = what,                                                               \
                              .remedy = help,                                                                \
                              .severity = SB_SEVERITY_##level,                                               \
                              .summarised = once}

RULE(sb800_incomplete, "800", "image-incomplete", ERROR, false, "The image could not be read to its end",
     "make the archive again, or pull the image again; what was not read was not looked at");
RULE(sb801_archive_limit, "801", "archive-limit", WARNING, false,
     "A file was not read further, since more came out of it than is looked at",
     "look at the file: it is very large when unpacked, as archives are that shall harm who reads them");
RULE(
    sb802_archive_unread, "802", "archive-unread", INFO, true,
    "An archive within the image could not be looked into",
    "if it is yours, see whether it must be in the image: encrypted or damaged archives hide what they hold");
RULE(sb810_root, "810", "image-runs-as-root", WARNING, false, "The image runs as root",
     "end the Dockerfile with USER and a numeric user that is not 0, for example USER 10001:0");
RULE(sb811_user_name, "811", "image-user-by-name", INFO, false, "The image names its user by name",
     "name the user by number: Kubernetes cannot tell that a name is not root's");
RULE(sb820_setuid, "820", "setuid-file", WARNING, false, "A file runs with the rights of its owner or group",
     "remove the bit (chmod a-s), or the file, in the step that brings it");
RULE(sb821_setuid_base, "821", "setuid-of-the-system", INFO, true,
     "Programs of the distribution run with the rights of root",
     "a service needs none of them: RUN find / -xdev -perm /6000 -type f -exec chmod a-s {} + takes the bits "
     "away");
RULE(sb822_capabilities, "822", "file-capabilities", WARNING, false, "A file has capabilities of its own",
     "remove them (setcap -r), or give the container the capability when it is started");
RULE(sb823_writable_file, "823", "world-writable-file", WARNING, false, "Anybody may write a file",
     "chmod o-w it in the step that brings it");
RULE(sb824_writable_dir, "824", "world-writable-directory", WARNING, false,
     "Anybody may write in a directory, and remove what others put there",
     "chmod o-w it, or chmod +t it, in the step that brings it");
RULE(sb825_passwd_writable, "825", "passwd-writable", ERROR, false,
     "Others than root may write who the users are",
     "chmod 644 it; when an arbitrary user must have a name, use nss_wrapper");
RULE(sb826_empty_password, "826", "empty-password", ERROR, false, "A user has an empty password",
     "lock the account: passwd -l NAME");
RULE(sb830_package_cache, "830", "package-cache", WARNING, false, "A package manager's cache was left behind",
     "remove it in the RUN that fills it, or keep it out with RUN --mount=type=cache");
RULE(sb831_git, "831", "git-directory", WARNING, false, "A git repository is in the image, with its history",
     "put .git into .dockerignore");
RULE(sb840_host_key, "840", "ssh-host-key", ERROR, false,
     "An SSH host key is in the image, the same for all who run it",
     "remove it in the step that installs the server, and make one when the container starts");
RULE(sb841_authorized_keys, "841", "authorized-keys", WARNING, false,
     "Keys that may log in are part of the image", "mount authorized_keys when the container is started");
RULE(sb842_history_file, "842", "history-file", WARNING, false, "A history of typed commands is in the image",
     "remove it, and put it into .dockerignore");
RULE(sb843_machine_id, "843", "machine-id", WARNING, false,
     "The image has a machine ID, the same for all who run it",
     "empty it in the step that makes it: : > /etc/machine-id");
RULE(sb844_core_dump, "844", "core-dump", WARNING, false, "The memory of a crashed program is in the image",
     "remove the file in the step that leaves it");
RULE(sb845_sensitive_file, "845", "sensitive-file", WARNING, false,
     "A file is in the image that usually holds secrets",
     "put it into .dockerignore; what a step needs of it comes by RUN --mount=type=secret");
RULE(sb850_moving_tag, "850", "image-moving-tag", WARNING, false, "The image's tag will mean another image",
     "give it a tag with its version");
RULE(sb851_labels, "851", "missing-labels", INFO, true, "The image does not say where it comes from",
     "add the labels with LABEL, or with --label");

RULE(sb901_layer, "901", "secret-in-layer", ERROR, false, "A secret is in a file of the image",
     "revoke it, keep the file out of the image, and give the step what it needs by RUN --mount=type=secret");
RULE(sb902_deleted, "902", "secret-in-earlier-layer", ERROR, false,
     "A secret is in an earlier layer of the image, though a later one took the file away",
     "revoke it: whoever pulls the image has it; use RUN --mount=type=secret, which leaves nothing in any "
     "layer");
RULE(sb903_config, "903", "secret-in-config", ERROR, false, "A secret is in the image's configuration",
     "revoke it, and set the variable when the container is started");
RULE(sb904_history, "904", "secret-in-history", ERROR, false, "A secret is in the image's history",
     "revoke it; build arguments and RUN texts are kept for all to read: use RUN --mount=type=secret");
RULE(sb905_annotation, "905", "secret-in-annotation", ERROR, false,
     "A secret is in the annotations of the image's manifest", "revoke it, and leave the annotation out");
RULE(sb906_attestation, "906", "secret-in-attestation", ERROR, false,
     "A secret is in an attestation that comes with the image",
     "revoke it; provenance records build arguments: use RUN --mount=type=secret");
RULE(sb908_likely, "908", "likely-secret", WARNING, false, "What looks like a secret is in the image",
     "look at it; if it is one, revoke it and keep it out, else accept the finding with a reason");

static const sb_rule *const image_rules[] = {
    &sb800_incomplete,    &sb801_archive_limit, &sb802_archive_unread,  &sb810_root,
    &sb811_user_name,     &sb820_setuid,        &sb821_setuid_base,     &sb822_capabilities,
    &sb823_writable_file, &sb824_writable_dir,  &sb825_passwd_writable, &sb826_empty_password,
    &sb830_package_cache, &sb831_git,           &sb840_host_key,        &sb841_authorized_keys,
    &sb842_history_file,  &sb843_machine_id,    &sb844_core_dump,       &sb845_sensitive_file,
    &sb850_moving_tag,    &sb851_labels,
};
const sb_rule_set sb_rules_image = {"Finished images", image_rules, SB_COUNT(image_rules)};

static const sb_rule *const leak_rules[] = {
    &sb901_layer,      &sb902_deleted,     &sb903_config, &sb904_history,
    &sb905_annotation, &sb906_attestation, &sb908_likely,
};
const sb_rule_set sb_rules_leaks = {"Secrets in an image", leak_rules, SB_COUNT(leak_rules)};
