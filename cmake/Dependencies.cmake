# Everything comes from the distribution's packages; what differs between Debian
# 12 and 13 is levelled out here and nowhere else. ./packages names them.
message(STATUS "Libraries come from Debian packages; if one is missing: ./packages install build test")
find_package(Threads REQUIRED)
find_package(OpenSSL REQUIRED)
find_package(ZLIB REQUIRED)
find_package(Boost 1.81 REQUIRED CONFIG COMPONENTS json)
find_package(Protobuf REQUIRED)
find_package(RocksDB REQUIRED CONFIG)
find_package(yaml-cpp REQUIRED CONFIG)
if(NOT TARGET yaml-cpp::yaml-cpp)
  add_library(yaml-cpp::yaml-cpp ALIAS yaml-cpp)
endif()
find_package(spdlog REQUIRED CONFIG)
find_package(fmt REQUIRED CONFIG)
find_package(prometheus-cpp REQUIRED CONFIG)
find_package(CLI11 REQUIRED CONFIG)
find_package(tl-expected REQUIRED CONFIG)
find_package(PkgConfig REQUIRED)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(HTTPLIB REQUIRED IMPORTED_TARGET cpp-httplib)

# Boost's compiled-once Asio: one translation unit holds it (node/adapter/asio_impl.cc).
add_library(dynamo_asio INTERFACE)
target_link_libraries(dynamo_asio INTERFACE Boost::headers Threads::Threads OpenSSL::SSL)
target_compile_definitions(dynamo_asio INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_BEAST_USE_STD_STRING_VIEW)

# RocksDB within the program is faster than the shared library, through which every
# access to a thread's counters is a call. Sanitizers need the shared one: they tell
# what is not instrumented by the module that it is in.
option(DYNAMO_STATIC_ROCKSDB "Link RocksDB into the programs" ON)
add_library(dynamo_rocksdb INTERFACE)
if(DYNAMO_STATIC_ROCKSDB AND NOT DYNAMO_SANITIZE AND TARGET RocksDB::rocksdb)
  include(CheckCXXSourceCompiles)
  set(CMAKE_REQUIRED_LIBRARIES RocksDB::rocksdb Threads::Threads ${CMAKE_DL_LIBS})
  check_cxx_source_compiles("#include <rocksdb/db.h>
    int main() { rocksdb::DB* db = nullptr; return rocksdb::DB::Open({}, {}, &db).code(); }" DYNAMO_ROCKSDB_LINKS_STATICALLY)
  unset(CMAKE_REQUIRED_LIBRARIES)
endif()
if(DYNAMO_STATIC_ROCKSDB AND NOT DYNAMO_SANITIZE AND DYNAMO_ROCKSDB_LINKS_STATICALLY)
  target_link_libraries(dynamo_rocksdb INTERFACE RocksDB::rocksdb)
else()
  target_link_libraries(dynamo_rocksdb INTERFACE RocksDB::rocksdb-shared)
endif()

# jemalloc serves RocksDB's and the requests' allocations faster than the C library
# does. Sanitizers bring their own.
option(DYNAMO_JEMALLOC "Allocate memory with jemalloc" ON)
add_library(dynamo_allocator INTERFACE)
if(DYNAMO_JEMALLOC AND NOT DYNAMO_SANITIZE)
  find_library(JEMALLOC_LIBRARY NAMES libjemalloc_pic.a jemalloc REQUIRED)
  target_link_libraries(dynamo_allocator INTERFACE "${JEMALLOC_LIBRARY}" Threads::Threads "${CMAKE_DL_LIBS}")
endif()
