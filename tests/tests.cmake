# Tests that are more than one file a room: each folder says its own.
file(GLOB test_parts CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/*/*.cmake)
foreach(part ${test_parts})
  include(${part})
endforeach()
