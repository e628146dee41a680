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
  # They count time.
  set(alone e2e/case_domain_killed e2e/case_registration_time)
  set_tests_properties(${alone} PROPERTIES RUN_SERIAL ON)

  # What kills the Kiln that the cases share comes when they have ended, one after the other; beside tests that have their own.
  list(TRANSFORM cases PREPEND e2e/ OUTPUT_VARIABLE sharing)
  list(REMOVE_ITEM sharing ${alone} e2e/case_terminal_kept)
  function(e2e_kills test)
    set_tests_properties(${test} PROPERTIES DEPENDS "${sharing}" RESOURCE_LOCK kiln)
  endfunction()
  e2e_kills(e2e/case_terminal_kept)
  set_tests_properties(e2e/case_drives e2e/case_refused_drives e2e/case_terminal_kept PROPERTIES COST 110)
  set_tests_properties(e2e/case_network e2e/case_stub_never_runs PROPERTIES COST 70)
endif()
