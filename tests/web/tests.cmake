# The owner's page: its codecs in node, and the whole of it in a real browser, in worlds of their own.
if(NODE AND NPM AND NOT KILN_SANITIZE AND NOT KILN_FUZZ)
  add_test(NAME web/vectors COMMAND ${NODE} tests/web/vectors_node.mjs WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  file(GLOB cases RELATIVE ${CMAKE_CURRENT_LIST_DIR} CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/case_*)
  foreach(case ${cases})
    add_test(NAME web/${case} COMMAND tests/world/run tests/web/${case} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    # They count milliseconds.
    set_tests_properties(web/${case} PROPERTIES TIMEOUT 1500 RUN_SERIAL ON
      ENVIRONMENT "KILN_BIN=${CMAKE_BINARY_DIR}/bin;NS_BIN=${CMAKE_BINARY_DIR}/ns;KILN_WEB_SHOTS=${CMAKE_BINARY_DIR}/shots")
  endforeach()
endif()
