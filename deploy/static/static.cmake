# Everything from archives: Debian's where it ships one, deploy/static/libraries.sh's where it does not, and fmt
# and spdlog from their headers. Two builds of one commit give the same bytes.
set(CMAKE_FIND_LIBRARY_SUFFIXES .a)
set(OPENSSL_USE_STATIC_LIBS ON)
set(Boost_USE_STATIC_LIBS ON)
set(log_libraries fmt::fmt-header-only spdlog::spdlog_header_only)
add_compile_options(-ffile-prefix-map=${PROJECT_SOURCE_DIR}=. -ffile-prefix-map=${PROJECT_BINARY_DIR}=build)
# getaddrinfo and the connector's plugin loader warn that they would open shared libraries: host names are
# resolved by glibc's own files and dns, and every plugin that rowtrail uses is built in.
add_link_options(-static -Wl,--build-id=none -Wl,--gc-sections)

find_library(yaml_archive yaml-cpp REQUIRED)
add_library(yaml-cpp STATIC IMPORTED)
set_target_properties(yaml-cpp PROPERTIES IMPORTED_LOCATION ${yaml_archive})

find_library(zlib_archive z REQUIRED)
function(client_library target headers)
  add_library(PkgConfig::${target} INTERFACE IMPORTED)
  list(TRANSFORM ARGN PREPEND ${ROWTRAIL_STATIC}/lib/ OUTPUT_VARIABLE archives)
  target_include_directories(PkgConfig::${target} INTERFACE ${headers})
  target_link_libraries(PkgConfig::${target} INTERFACE ${archives} OpenSSL::SSL OpenSSL::Crypto ${zlib_archive} m)
endfunction()
client_library(MariaDB /usr/include/mariadb libmariadbclient.a)
client_library(Pq /usr/include/postgresql libpq.a libpgcommon_shlib.a libpgport_shlib.a)
