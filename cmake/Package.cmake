# SPDX-License-Identifier: Apache-2.0
# `cpack` in the build directory makes sbuild-docker_VERSION_ARCH.deb. Debian's own "sbuild" builds Debian packages and
# installs /usr/bin/sbuild too, hence the other name and the conflict.
set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME sbuild-docker)
set(CPACK_PACKAGE_CONTACT "sbuild developers <sbuild@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_PACKAGE_CONFLICTS sbuild)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "buildah | docker-buildx | docker-buildx-plugin, git, gpg, ca-certificates")
include(CPack)
