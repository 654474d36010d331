# Every dependency is a Debian 12 package; docs/dependencies.md gives the reason for each.
find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(Boost 1.81 REQUIRED)
find_package(fmt REQUIRED)
find_package(spdlog REQUIRED)
find_package(simdjson REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(prometheus-cpp CONFIG REQUIRED)
find_package(CLI11 REQUIRED)
find_package(GTest REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(xxhash REQUIRED IMPORTED_TARGET libxxhash)
find_library(MIMALLOC_LIBRARY NAMES mimalloc REQUIRED)

add_library(sluice_options INTERFACE)
target_compile_options(sluice_options INTERFACE -Wall -Wextra -Werror -Wno-missing-field-initializers -fno-omit-frame-pointer)
target_include_directories(sluice_options INTERFACE ${CMAKE_SOURCE_DIR}/src ${CMAKE_BINARY_DIR}/generated)
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # A precompiled header is the same whenever it was made, which ccache must see.
  target_compile_options(sluice_options INTERFACE "SHELL:-Xclang -fno-pch-timestamp")
  target_link_options(sluice_options INTERFACE -fuse-ld=lld)
endif()
foreach(sanitizer IN LISTS SLUICE_SANITIZE)
  target_compile_options(sluice_options INTERFACE -fsanitize=${sanitizer} -fno-sanitize-recover=all)
  target_link_options(sluice_options INTERFACE -fsanitize=${sanitizer})
endforeach()
if(SLUICE_FUZZ)
  target_compile_options(sluice_options INTERFACE -fsanitize=fuzzer-no-link)
  target_link_options(sluice_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

add_library(sluice_deps_base INTERFACE)
target_compile_definitions(sluice_deps_base INTERFACE BOOST_JSON_STANDALONE=0 SPDLOG_FMT_EXTERNAL)
target_link_libraries(sluice_deps_base INTERFACE fmt::fmt spdlog::spdlog simdjson::simdjson PkgConfig::xxhash Boost::headers
                                                 yaml-cpp OpenSSL::Crypto Threads::Threads)

add_library(sluice_deps_net INTERFACE)
# Beast brings Asio's headers in; none of Asio's code is used.
target_compile_definitions(sluice_deps_net INTERFACE BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED)
target_link_libraries(sluice_deps_net INTERFACE Boost::headers OpenSSL::SSL OpenSSL::Crypto)

add_library(sluice_deps_telemetry INTERFACE)
target_link_libraries(sluice_deps_telemetry INTERFACE prometheus-cpp::core)

# The sanitizers bring their own allocator.
add_library(sluice_allocator INTERFACE)
if(NOT SLUICE_SANITIZE)
  target_link_libraries(sluice_allocator INTERFACE ${MIMALLOC_LIBRARY})
endif()
