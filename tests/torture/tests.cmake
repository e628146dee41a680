# Torture: the real programs, killed at random. The stand-in for QEMU makes room for many domains.
if(NOT KILN_SANITIZE AND NOT KILN_FUZZ)
  add_executable(torture_standin ${CMAKE_CURRENT_LIST_DIR}/standin.c)
  target_compile_definitions(torture_standin PRIVATE STANDIN_REAL="/run/world/qemu/bin/qemu-system-x86_64")
  set_target_properties(torture_standin PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/torture)

  # A seed that is always the same, so that two runs differ by no more than the machine; make torture throws dice.
  add_test(NAME torture/60s COMMAND tests/world/run tests/torture/run 60 11 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(torture/60s PROPERTIES TIMEOUT 1500 RUN_SERIAL ON ENVIRONMENT
    "KILN_BIN=${CMAKE_BINARY_DIR}/bin;NS_BIN=${CMAKE_BINARY_DIR}/ns;TORTURE_BIN=${CMAKE_BINARY_DIR}/torture;TORTURE_VMS=13;TORTURE_GUESTS=4;TORTURE_REAL=3")
endif()
