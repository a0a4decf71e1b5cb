# SPDX-License-Identifier: Apache-2.0
# The strict set, for gcc and clang alike. SBUILD_WERROR is on in the presets.
option(SBUILD_WERROR "Treat warnings as errors" OFF)

# sbuild_warning_options(COMPILER_ID VARIABLE): for a compiler that need not be the one of the build.
function(sbuild_warning_options compiler_id variable)
  set(options
    -Wall -Wextra -Wpedantic -Wformat=2 -Wshadow -Wpointer-arith -Wcast-qual -Wwrite-strings -Wundef
    -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wvla -Wswitch-enum -Wconversion -Wno-sign-conversion
    -Wimplicit-fallthrough -Wdouble-promotion -Wnull-dereference
    -fno-common -fstack-protector-strong)
  if(compiler_id STREQUAL "GNU")
    list(APPEND options -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init -Wno-format-nonliteral)
  else()
    list(APPEND options -Wno-format-nonliteral -Wno-gnu-statement-expression -Wno-language-extension-token)
  endif()
  if(SBUILD_WERROR)
    list(APPEND options -Werror)
  endif()
  set(${variable} ${options} PARENT_SCOPE)
endfunction()

add_library(sbuild_warnings INTERFACE)
sbuild_warning_options(${CMAKE_C_COMPILER_ID} sbuild_warnings_here)
target_compile_options(sbuild_warnings INTERFACE ${sbuild_warnings_here})
if(CMAKE_BUILD_TYPE STREQUAL "Release")
  target_compile_options(sbuild_warnings INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
endif()
