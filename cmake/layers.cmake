# mq_layer(NAME SOURCES ... INTERNAL ... PUBLIC ... PRIVATE ...)
#
# One static library per layer of libmqtt. A layer's include directory holds its own headers and
# nothing else (a link <mqtt/NAME> in the build tree), so a header of a layer that is not linked
# cannot be included: the order util <- codec <- session <- client is held by the compiler.
#
# It is installed with its headers but for those that are INTERNAL, as mqtt::NAME of the CMake package libmqtt and as
# libmqtt-NAME of pkg-config. What is linked PRIVATE must be none of those headers' business.
include(GNUInstallDirs)

# Not <prefix>/include itself: other libraries have a directory <mqtt> there (Debian's libpaho-mqttpp-dev).
set(mq_include_dir ${CMAKE_INSTALL_INCLUDEDIR}/libmqtt)

function(mq_layer name)
  cmake_parse_arguments(arg "" "" "SOURCES;INTERNAL;PUBLIC;PRIVATE" ${ARGN})
  set(root ${PROJECT_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${root}/mqtt)
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${root}/mqtt/${name} SYMBOLIC)
  add_library(mqtt_${name} STATIC ${arg_SOURCES})
  add_library(mqtt::${name} ALIAS mqtt_${name})
  set_target_properties(mqtt_${name} PROPERTIES EXPORT_NAME ${name})
  target_compile_features(mqtt_${name} PUBLIC cxx_std_23)
  target_include_directories(mqtt_${name} PUBLIC $<BUILD_INTERFACE:${root}>)
  target_link_libraries(mqtt_${name} PUBLIC ${arg_PUBLIC} PRIVATE $<BUILD_INTERFACE:mq_flags> ${arg_PRIVATE})
  if(PROJECT_IS_TOP_LEVEL)
    mq_install_layer(${name} "${arg_INTERNAL}" ${arg_PUBLIC} ${arg_PRIVATE})
  endif()
endfunction()

# mq_install_layer(NAME INTERNAL-HEADERS LINKED...)
function(mq_install_layer name internal)
  file(GLOB headers CONFIGURE_DEPENDS RELATIVE ${CMAKE_CURRENT_SOURCE_DIR} *.hpp)
  foreach(header ${internal})
    if(NOT header IN_LIST headers)
      message(FATAL_ERROR "mq_layer(${name}): there is no internal header ${header}")
    endif()
  endforeach()
  list(REMOVE_ITEM headers ${internal})
  list(TRANSFORM headers PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ OUTPUT_VARIABLE paths)
  set_property(GLOBAL APPEND PROPERTY mq_headers ${paths})
  install(FILES ${headers} DESTINATION ${mq_include_dir}/mqtt/${name} COMPONENT dev)
  install(TARGETS mqtt_${name} EXPORT libmqtt ARCHIVE COMPONENT dev INCLUDES DESTINATION ${mq_include_dir})
  set_property(GLOBAL APPEND PROPERTY mq_layers libmqtt-${name})
  mq_pkg_config(libmqtt-${name} "layer ${name}" "-lmqtt_${name}" ${ARGN})
endfunction()

# mq_pkg_config(NAME WHAT LIBS LINKED...): only archives are installed, so what they need is linked too, with and
# without --static.
function(mq_pkg_config name what libs)
  set(requires "")
  foreach(linked ${ARGN})
    if(linked MATCHES "^mqtt_(.*)$")
      list(APPEND requires libmqtt-${CMAKE_MATCH_1})
    elseif(linked MATCHES "^libmqtt-" OR linked STREQUAL "fmt")
      list(APPEND requires ${linked})
    elseif(linked MATCHES "^PkgConfig::(.*)$")
      list(APPEND requires ${CMAKE_MATCH_1})
    elseif(linked STREQUAL "fmt::fmt")
      list(APPEND requires fmt)
    elseif(linked STREQUAL "OpenSSL::SSL")
      list(APPEND requires libssl libcrypto)  # libssl's own word for it is a private one
    elseif(linked STREQUAL "OpenSSL::Crypto")
      list(APPEND requires libcrypto)
    elseif(linked STREQUAL "wslay::wslay")
      string(APPEND libs " -lwslay")
    elseif(linked STREQUAL "resolv")
      string(APPEND libs " -lresolv")
    elseif(NOT linked MATCHES "^\\$<BUILD_INTERFACE:")
      message(FATAL_ERROR "${name}: what is ${linked} for pkg-config?")
    endif()
  endforeach()
  list(JOIN requires " " requires)
  file(RELATIVE_PATH to_prefix /${CMAKE_INSTALL_LIBDIR}/pkgconfig /)
  configure_file(${PROJECT_SOURCE_DIR}/cmake/libmqtt.pc.in ${PROJECT_BINARY_DIR}/pkgconfig/${name}.pc @ONLY)
  install(FILES ${PROJECT_BINARY_DIR}/pkgconfig/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT dev)
endfunction()
