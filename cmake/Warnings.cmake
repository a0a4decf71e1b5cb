# SPDX-License-Identifier: Apache-2.0
# The strict set, for gcc and clang alike. SBUILD_WERROR is on in the presets.
option(SBUILD_WERROR "Treat warnings as errors" OFF)

add_library(sbuild_warnings INTERFACE)
target_compile_options(sbuild_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wformat=2 -Wshadow -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef
  -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wvla -Wswitch-enum -Wconversion -Wno-sign-conversion
  -Wimplicit-fallthrough -Wdouble-promotion -Wnull-dereference
  -fno-common -fstack-protector-strong)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
  target_compile_options(sbuild_warnings INTERFACE -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init
    -Wno-format-nonliteral)
else()
  target_compile_options(sbuild_warnings INTERFACE -Wno-format-nonliteral -Wno-gnu-statement-expression -Wno-language-extension-token)
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(sbuild_warnings INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
if(SBUILD_WERROR)
  target_compile_options(sbuild_warnings INTERFACE -Werror)
endif()
