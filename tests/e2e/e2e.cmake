# Real VMs: one Kiln in the world that `make check` runs ctest in, shared by the cases, which run side by side.
if(NOT KILN_SANITIZE AND NOT KILN_FUZZ)
  function(e2e name)
    add_test(NAME e2e/${name} COMMAND tests/e2e/${name} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(e2e/${name} PROPERTIES ENVIRONMENT "KILN_BIN=${CMAKE_BINARY_DIR}/bin;NS_BIN=${CMAKE_BINARY_DIR}/ns"
                         TIMEOUT 1500 ${ARGN})
  endfunction()

  e2e(start FIXTURES_SETUP kiln)
  e2e(stop FIXTURES_CLEANUP kiln)
  file(GLOB cases RELATIVE ${CMAKE_CURRENT_LIST_DIR} CONFIGURE_DEPENDS ${CMAKE_CURRENT_LIST_DIR}/case_*)
  foreach(case ${cases})
    e2e(${case} FIXTURES_REQUIRED kiln)
  endforeach()
  # It kills what the other cases use.
  set_tests_properties(e2e/case_terminal_kept PROPERTIES RUN_SERIAL ON TIMEOUT 900)
  # They count time.
  set_tests_properties(e2e/case_domain_killed e2e/case_registration_time PROPERTIES RUN_SERIAL ON)
endif()
