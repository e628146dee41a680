# Tests that are more than one file a room: each folder says its own.
file(GLOB test_parts CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/*/*.cmake)
foreach(part ${test_parts})
  include(${part})
endforeach()

# Of the places that ctest fills (see the Makefile) a test takes two, a processor's. Those that mostly wait take one, and so does what
# takes no processor from anybody.
if(NOT KILN_SANITIZE)
  get_property(tests DIRECTORY PROPERTY TESTS)
  list(FILTER tests EXCLUDE REGEX "^(ns/.*|e2e/case_stub_never_runs|lint/tidy)$")
  set_tests_properties(${tests} PROPERTIES PROCESSORS 2)
endif()
