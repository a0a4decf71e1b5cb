# SPDX-License-Identifier: Apache-2.0
option(SBUILD_SANITIZE "Address and undefined-behaviour sanitizers" OFF)
add_library(sbuild_sanitizers INTERFACE)
if(SBUILD_SANITIZE)
  target_compile_options(sbuild_sanitizers INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(sbuild_sanitizers INTERFACE -fsanitize=address,undefined)
endif()
