# Debian packages, by cpack: mq-tools (the programs, with mqbroker's units) and libmqtt-dev (archives and headers of the
# library). tools/package builds for them, with Debian's flags; cpack packs what any build directory has.
set(MQ_PACKAGE_CONTACT "the mq authors <mq@mq.invalid>" CACHE STRING "maintainer that the packages name")

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_CONTACT "${MQ_PACKAGE_CONTACT}")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_COMPONENTS_ALL tools dev)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)

set(about "MQTT is a protocol for messages between programs and devices, by topics.\n")
set(CPACK_DEBIAN_TOOLS_PACKAGE_NAME mq-tools)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SECTION net)
set(CPACK_DEBIAN_TOOLS_PACKAGE_SHLIBDEPS ON)
# A broker that runs is stopped with its program, or restarted with a new one, and purging leaves nothing.
set(CPACK_DEBIAN_TOOLS_PACKAGE_CONTROL_EXTRA conffiles postinst prerm postrm)
list(TRANSFORM CPACK_DEBIAN_TOOLS_PACKAGE_CONTROL_EXTRA PREPEND ${CMAKE_CURRENT_LIST_DIR}/debian/)
set(CPACK_DEBIAN_TOOLS_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_COMPONENT_TOOLS_DESCRIPTION "command-line toolkit for MQTT
${about}.
mqpub publishes, mqsub subscribes, mqreq asks and waits for replies, mqbench
measures brokers, mqspy shows and judges packets, and mqbroker is a broker.
All of them speak MQTT 3.1, 3.1.1 and 5.0 over TCP, TLS, WebSocket and unix
sockets.
.
Nothing is started when the package is installed: mqbroker.service and
mqbroker.socket are there to be enabled.")

set(CPACK_DEBIAN_DEV_PACKAGE_NAME libmqtt-dev)
set(CPACK_DEBIAN_DEV_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEV_PACKAGE_DEPENDS
  "libfmt-dev, libsqlite3-dev, libssl-dev, libuv1-dev, libwslay-dev, pkg-config")
set(CPACK_COMPONENT_DEV_DESCRIPTION "MQTT library for C++23, client and broker: development files
${about}.
Layers to choose from: packets alone, sessions without I/O, a client over
libuv, OpenSSL and WebSocket, and a broker that runs in a thread of a program.
This package has headers, archives to link, and files for CMake
(find_package(libmqtt)) and pkg-config.")

# What Debian wants besides, between staging and packing.
configure_file(${CMAKE_CURRENT_LIST_DIR}/debian/finish.cmake.in ${PROJECT_BINARY_DIR}/debian/finish.cmake @ONLY)
set(CPACK_PRE_BUILD_SCRIPTS ${PROJECT_BINARY_DIR}/debian/finish.cmake)

include(CPack)
