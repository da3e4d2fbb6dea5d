# mq_layer(NAME SOURCES ... PUBLIC ... PRIVATE ...)
#
# One static library per layer of libmqtt. A layer's include directory holds its own headers and
# nothing else (a link <mqtt/NAME> in the build tree), so a header of a layer that is not linked
# cannot be included: the order util <- codec <- session <- client is held by the compiler.
function(mq_layer name)
  cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  set(root ${PROJECT_BINARY_DIR}/include/${name})
  file(MAKE_DIRECTORY ${root}/mqtt)
  file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${root}/mqtt/${name} SYMBOLIC)
  add_library(mqtt_${name} STATIC ${arg_SOURCES})
  target_include_directories(mqtt_${name} PUBLIC ${root})
  target_link_libraries(mqtt_${name} PUBLIC ${arg_PUBLIC} PRIVATE mq_flags ${arg_PRIVATE})
endfunction()
