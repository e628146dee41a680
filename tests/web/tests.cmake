# The owner's page: its codecs and its size in node, and the whole of it in a real browser.
if(NODE AND NPM AND NOT KILN_SANITIZE AND NOT KILN_FUZZ)
  set(browser_environment "KILN_BIN=${CMAKE_BINARY_DIR}/bin;NS_BIN=${CMAKE_BINARY_DIR}/ns;KILN_WEB_SHOTS=${CMAKE_BINARY_DIR}/shots")
  add_test(NAME web/vectors COMMAND ${NODE} tests/web/vectors_node.mjs WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(web/vectors PROPERTIES TIMEOUT 120)
  add_test(NAME web/origin COMMAND ${NODE} tests/web/origin_node.mjs WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  add_test(NAME web/backoff COMMAND ${NODE} tests/web/backoff_node.mjs WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  add_test(NAME web/size COMMAND ${NODE} tests/web/size.mjs ${CMAKE_BINARY_DIR}/web WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})

  # Against processes: a world each.
  file(GLOB cases RELATIVE ${CMAKE_CURRENT_LIST_DIR} CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/case_*)
  foreach(case ${cases})
    add_test(NAME web/${case} COMMAND tests/world/run tests/web/${case} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(web/${case} PROPERTIES TIMEOUT 1500 ENVIRONMENT "${browser_environment}")
  endforeach()
  # It counts milliseconds.
  set_tests_properties(web/case_page PROPERTIES RUN_SERIAL ON)

  # Against a real VM: in the world and the Kiln of the end-to-end cases.
  if(TEST e2e/start)
    add_test(NAME web/real_vm COMMAND tests/web/real_vm WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(web/real_vm PROPERTIES TIMEOUT 1500 COST 120 FIXTURES_REQUIRED kiln ENVIRONMENT "${browser_environment}")
    e2e_kills(web/real_vm)
  endif()
endif()
