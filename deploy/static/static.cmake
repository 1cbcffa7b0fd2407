# Links archives alone: Debian's where it ships one, deploy/static/libraries.sh's where it does not. Only the
# link differs from a release build, flag by flag, so that what is shipped are the objects that were tested.
#
# getaddrinfo and the connector's plugin loader warn that they would open shared libraries: host names are
# resolved by glibc's own files and dns, and every plugin that rowtrail uses is built in.
set(CMAKE_SKIP_RPATH ON)  # it would name the build's folder
add_link_options(-static -Wl,--build-id=none -Wl,--gc-sections)

# linked_as TARGET ARCHIVE…: what TARGET stands for at the link; its headers and definitions stay as they are.
function(linked_as target)
  get_target_property(type ${target} TYPE)
  if(type STREQUAL "INTERFACE_LIBRARY")
    set_target_properties(${target} PROPERTIES INTERFACE_LINK_LIBRARIES "${ARGN}")
    return()
  endif()
  get_target_property(configurations ${target} IMPORTED_CONFIGURATIONS)
  foreach(configuration ${configurations})
    set_target_properties(${target} PROPERTIES IMPORTED_LOCATION_${configuration} ${ARGV1}
                                               IMPORTED_SONAME_${configuration} "")
  endforeach()
endfunction()

set(own ${ROWTRAIL_STATIC}/lib)
find_library(yaml_archive yaml-cpp REQUIRED)
find_library(boost_url_archive boost_url REQUIRED)
linked_as(yaml-cpp ${yaml_archive})
linked_as(Boost::url ${boost_url_archive})
linked_as(fmt::fmt ${own}/libfmt.a)
linked_as(spdlog::spdlog ${own}/libspdlog.a)
set(needs OpenSSL::SSL OpenSSL::Crypto ZLIB::ZLIB m)
linked_as(PkgConfig::MariaDB ${own}/libmariadbclient.a ${needs})
linked_as(PkgConfig::Pq ${own}/libpq.a ${own}/libpgcommon_shlib.a ${own}/libpgport_shlib.a ${needs})
