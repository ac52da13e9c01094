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
