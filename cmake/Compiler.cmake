# The compilers this project can be built with, and the flags all of it shares.
#
# Older compilers are refused, not worked around: g++ 12 miscompiles co_await on
# temporaries, and clang 16 under TSan reports races in correct coroutines.
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 14)
    message(FATAL_ERROR "g++ ${CMAKE_CXX_COMPILER_VERSION} miscompiles coroutines. "
      "Install the package clang-19 (Debian 12) or g++-14 (Debian 13) and use a preset, "
      "for example: cmake --preset dev")
  endif()
elseif(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  if(CMAKE_CXX_COMPILER_VERSION VERSION_LESS 19)
    message(FATAL_ERROR "clang ${CMAKE_CXX_COMPILER_VERSION} is too old. "
      "Install the package clang-19 and use a preset, for example: cmake --preset dev")
  endif()
else()
  message(FATAL_ERROR "Unsupported compiler ${CMAKE_CXX_COMPILER_ID}. Install the package clang-19.")
endif()

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CCACHE_PROGRAM}")
endif()
find_program(LLD_PROGRAM NAMES ld.lld-19 ld.lld)
if(LLD_PROGRAM AND CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  add_link_options("-fuse-ld=${LLD_PROGRAM}")
endif()

option(DYNAMO_WERROR "Treat warnings as errors" OFF)
add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor)
if(DYNAMO_WERROR)
  add_compile_options(-Werror)
endif()
# Paths of the build machine stay out of the binaries (and ccache hits across checkouts).
add_compile_options("-ffile-prefix-map=${CMAKE_SOURCE_DIR}=.")

set(DYNAMO_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them")
if(DYNAMO_SANITIZE)
  add_compile_options("-fsanitize=${DYNAMO_SANITIZE}" -fno-sanitize-recover=all -fno-omit-frame-pointer)
  add_link_options("-fsanitize=${DYNAMO_SANITIZE}")
endif()
option(DYNAMO_COVERAGE "Instrument for source-based coverage (clang)" OFF)
if(DYNAMO_COVERAGE)
  add_compile_options(-fprofile-instr-generate -fcoverage-mapping)
  add_link_options(-fprofile-instr-generate)
endif()
