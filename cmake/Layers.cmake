# dynamo_layer(<name> [USES <libraries>...] [PROTOS <files>...])
#
# One static library per layer, made of every .cc file under the calling folder.
# The USES line is the include rule: a layer sees only what it names.
function(dynamo_layer name)
  cmake_parse_arguments(LAYER "" "" "USES;PROTOS;EXCLUDE" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "*.cc")
  foreach(pattern IN LISTS LAYER_EXCLUDE)
    list(FILTER sources EXCLUDE REGEX "${pattern}")
  endforeach()
  add_library(dynamo_${name} STATIC ${sources})
  target_include_directories(dynamo_${name} PUBLIC "${PROJECT_SOURCE_DIR}")
  target_link_libraries(dynamo_${name} PUBLIC ${LAYER_USES})
  if(LAYER_PROTOS)
    target_include_directories(dynamo_${name} SYSTEM PUBLIC "${PROJECT_BINARY_DIR}/proto")
    foreach(proto IN LISTS LAYER_PROTOS)
      dynamo_proto(dynamo_${name} "${proto}")
    endforeach()
  endif()
endfunction()

# Generates C++ from a .proto file into <build>/proto/<same path>, warnings off.
function(dynamo_proto target proto)
  file(RELATIVE_PATH path "${PROJECT_SOURCE_DIR}" "${CMAKE_CURRENT_SOURCE_DIR}/${proto}")
  string(REGEX REPLACE "\\.proto$" "" stem "${path}")
  set(out "${PROJECT_BINARY_DIR}/proto")
  add_custom_command(
    OUTPUT "${out}/${stem}.pb.cc" "${out}/${stem}.pb.h"
    COMMAND "${CMAKE_COMMAND}" -E make_directory "${out}"
    COMMAND protobuf::protoc "--proto_path=${PROJECT_SOURCE_DIR}" "--cpp_out=${out}" "${path}"
    WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}"
    DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${proto}" VERBATIM)
  set_source_files_properties("${out}/${stem}.pb.cc" PROPERTIES COMPILE_OPTIONS "-w")
  target_sources(${target} PRIVATE "${out}/${stem}.pb.cc" PUBLIC "${out}/${stem}.pb.h")
endfunction()

# dynamo_test(<name> [USES <libraries>...]): a GoogleTest program made of every
# .cc file under the calling folder, each test registered with ctest. Planted bugs
# (<name>_bugs_test) are looked for without sanitizers, which would add nothing but time.
function(dynamo_test name)
  cmake_parse_arguments(TEST "" "" "USES;LABELS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "*.cc")
  add_executable(${name} ${sources})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(${name} PRIVATE ${TEST_USES} GTest::gtest_main GTest::gmock)
  if(DYNAMO_SANITIZE AND name MATCHES "_bugs_test$")
    set_target_properties(${name} PROPERTIES EXCLUDE_FROM_ALL ON)
  else()
    dynamo_register_tests(${name} "${TEST_LABELS}")
  endif()
endfunction()

# Registers each test of a GoogleTest program with ctest. Under a sanitizer the
# program is one test: a start takes longer there than most tests.
function(dynamo_register_tests name label)
  if(DYNAMO_SANITIZE AND NOT label STREQUAL "cluster")
    add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
    set_tests_properties(${name} PROPERTIES LABELS "${label}")
  else()
    gtest_discover_tests(${name} NO_PRETTY_VALUES DISCOVERY_TIMEOUT 60 PROPERTIES LABELS "${label}")
  endif()
endfunction()

# dynamo_fuzz(<name> [USES <libraries>...]): the fuzz target <name>.cc.
#
# Under the preset `fuzz` it is a libFuzzer program; elsewhere a test (label unit)
# that gives it every input of corpus/<name> once, so that what was found stays found.
function(dynamo_fuzz name)
  cmake_parse_arguments(FUZZ "" "" "USES" ${ARGN})
  add_executable(fuzz_${name} "${name}.cc")
  target_include_directories(fuzz_${name} PRIVATE "${PROJECT_SOURCE_DIR}")
  target_link_libraries(fuzz_${name} PRIVATE ${FUZZ_USES})
  if(DYNAMO_BUILD_FUZZERS)
    target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzzers fuzz_${name})
  else()
    target_link_libraries(fuzz_${name} PRIVATE fuzz_replay)
    add_test(NAME fuzz_corpus_${name} COMMAND fuzz_${name} "${CMAKE_CURRENT_SOURCE_DIR}/corpus/${name}")
    set_tests_properties(fuzz_corpus_${name} PROPERTIES LABELS unit)
  endif()
endfunction()
