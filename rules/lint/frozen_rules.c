// SPDX-License-Identifier: Apache-2.0
/* SB5xx: the rules. */
#include <rules/lint/frozen.h>

/* Of distributions, versions in the Dockerfile are no remedy: mirrors drop old ones within weeks. */
#define LOCK_IT                                                                                              \
    "run \"sbuild lock\": it fixes versions and bytes of all packages of the step, and keeps them for the "  \
    "day "                                                                                                   \
    "when the mirror has others"

const sb_rule sb501 = {
    .id = "SB501",
    .name = "apt-unpinned",
    .summary = "apt installs whatever version the mirror has on the day of the build",
    .remedy = LOCK_IT,
    .severity = SB_SEVERITY_WARNING,
    .summarised = true,
};
const sb_rule sb502 = {
    .id = "SB502",
    .name = "apk-unpinned",
    .summary = "apk adds whatever version the mirror has on the day of the build",
    .remedy = LOCK_IT,
    .severity = SB_SEVERITY_WARNING,
    .summarised = true,
};
const sb_rule sb503 = {
    .id = "SB503",
    .name = "dnf-unpinned",
    .summary = "dnf, yum or microdnf installs whatever version the mirror has on the day of the build",
    .remedy = LOCK_IT,
    .severity = SB_SEVERITY_WARNING,
    .summarised = true,
};
const sb_rule sb504 = {
    .id = "SB504",
    .name = "zypper-unpinned",
    .summary = "zypper installs whatever version the mirror has on the day of the build",
    .remedy = LOCK_IT,
    .severity = SB_SEVERITY_WARNING,
    .summarised = true,
};
const sb_rule sb505 = {
    .id = "SB505",
    .name = "pacman-unpinned",
    .summary = "pacman installs whatever version the mirror has on the day of the build",
    .remedy = LOCK_IT,
    .severity = SB_SEVERITY_WARNING,
    .summarised = true,
};
const sb_rule sb506 = {
    .id = "SB506",
    .name = "pip-unpinned",
    .summary = "pip installs a package without an exact version",
    .remedy = "write name==1.2.3, better a requirements file with hashes and --require-hashes; or run "
              "\"sbuild lock\"",
    .severity = SB_SEVERITY_WARNING,
};
const sb_rule sb507 = {
    .id = "SB507",
    .name = "requirements-unpinned",
    .summary = "A requirements file that pip installs from has entries without an exact version",
    .remedy =
        "pin all of it, dependencies too, as \"pip-compile --generate-hashes\" does; or run \"sbuild lock\"",
    .severity = SB_SEVERITY_WARNING,
};
const sb_rule sb508 = {
    .id = "SB508",
    .name = "uv-not-frozen",
    .summary = "uv may choose other versions than uv.lock has",
    .remedy = "write \"uv sync --locked\", with uv.lock in the build context; or run \"sbuild lock\"",
    .severity = SB_SEVERITY_WARNING,
    .fixes = true,
};
const sb_rule sb509 = {
    .id = "SB509",
    .name = "poetry-not-frozen",
    .summary = "poetry, pdm or pipenv chooses versions during the build",
    .remedy =
        "commit the lock file and install from it: \"poetry install\", \"pdm sync\", \"pipenv sync\"; or run "
        "\"sbuild lock\"",
    .severity = SB_SEVERITY_WARNING,
};
const sb_rule sb510 = {
    .id = "SB510",
    .name = "npm-unpinned",
    .summary = "A package is installed from npm's registry without an exact version",
    .remedy =
        "write name@1.2.3, or make it a dependency of a project with a lock file; or run \"sbuild lock\"",
    .severity = SB_SEVERITY_WARNING,
};
const sb_rule sb511 = {
    .id = "SB511",
    .name = "npm-install",
    .summary = "npm install may choose other versions than package-lock.json has",
    .remedy = "write \"npm ci\", with package-lock.json in the build context; or run \"sbuild lock\"",
    .severity = SB_SEVERITY_WARNING,
    .fixes = true,
};
const sb_rule sb512 = {
    .id = "SB512",
    .name = "yarn-not-frozen",
    .summary = "yarn install may choose other versions than yarn.lock has",
    .remedy =
        "write \"yarn install --frozen-lockfile\", of Yarn 2 and later \"yarn install --immutable\"; or run "
        "\"sbuild lock\"",
    .severity = SB_SEVERITY_WARNING,
    .fixes = true,
};
const sb_rule sb513 = {
    .id = "SB513",
    .name = "pnpm-not-frozen",
    .summary = "pnpm or bun install may choose other versions than the lock file has",
    .remedy = "write --frozen-lockfile behind install, with the lock file in the build context; or run "
              "\"sbuild lock\"",
    .severity = SB_SEVERITY_WARNING,
    .fixes = true,
};
const sb_rule sb514 = {
    .id = "SB514",
    .name = "gem-unpinned",
    .summary = "gem installs a gem without an exact version",
    .remedy = "write \"gem install name:1.2.3\"; or run \"sbuild lock\", which fixes its dependencies too",
    .severity = SB_SEVERITY_WARNING,
};
const sb_rule sb515 = {
    .id = "SB515",
    .name = "bundle-not-frozen",
    .summary = "bundle install may choose other versions than Gemfile.lock has",
    .remedy =
        "set BUNDLE_FROZEN=true before it, with Gemfile.lock in the build context; or run \"sbuild lock\"",
    .severity = SB_SEVERITY_WARNING,
};
const sb_rule sb516 = {
    .id = "SB516",
    .name = "go-unpinned",
    .summary = "go takes whatever version of a module is newest",
    .remedy = "write module@v1.2.3, or build from a go.mod and go.sum; or run \"sbuild lock\"",
    .severity = SB_SEVERITY_WARNING,
};
const sb_rule sb517 = {
    .id = "SB517",
    .name = "cargo-not-locked",
    .summary = "cargo may choose other versions than a Cargo.lock has",
    .remedy = "add --locked, and of \"cargo install\" --version 1.2.3; or run \"sbuild lock\"",
    .severity = SB_SEVERITY_WARNING,
    .fixes = true,
};
const sb_rule sb518 = {
    .id = "SB518",
    .name = "composer-not-locked",
    .summary = "composer chooses versions during the build",
    .remedy = "run \"composer install\" with a committed composer.lock; or run \"sbuild lock\"",
    .severity = SB_SEVERITY_WARNING,
};
const sb_rule sb519 = {
    .id = "SB519",
    .name = "git-unpinned",
    .summary = "A git repository is taken at the newest commit of a branch",
    .remedy = "check out a commit by its 40 digits behind the clone; or run \"sbuild lock\"",
    .severity = SB_SEVERITY_WARNING,
};
const sb_rule sb520 = {
    .id = "SB520",
    .name = "git-tag",
    .summary = "A git repository is taken at a tag, which its owner can move",
    .remedy = "check out the commit of the tag by its 40 digits; or run \"sbuild lock\"",
    .severity = SB_SEVERITY_INFO,
};
const sb_rule sb521 = {
    .id = "SB521",
    .name = "download-of-latest",
    .summary = "A download's URL always leads to the newest file",
    .remedy =
        "name the file of one release, and check its sha256 behind the download; or run \"sbuild lock\"",
    .severity = SB_SEVERITY_WARNING,
};
const sb_rule sb522 = {
    .id = "SB522",
    .name = "conda-unpinned",
    .summary = "conda or mamba installs a package without an exact version",
    .remedy = "write name=1.2.3, or create the environment from an explicit list (conda list --explicit "
              "--md5); or run \"sbuild lock\"",
    .severity = SB_SEVERITY_WARNING,
};

static const sb_rule *const rules[] = {
    &sb501, &sb502, &sb503, &sb504, &sb505, &sb506, &sb507, &sb508, &sb509, &sb510, &sb511,
    &sb512, &sb513, &sb514, &sb515, &sb516, &sb517, &sb518, &sb519, &sb520, &sb521, &sb522,
};
const sb_rule_set sb_rules_frozen = {"Frozen dependencies", rules, SB_COUNT(rules)};
