# The diagram in states/README.md is printed from the tables: `diagrams` writes it, a test compares.
add_executable(diagram ${CMAKE_SOURCE_DIR}/tests/diagram/diagram.c)
target_link_libraries(diagram PRIVATE kiln_guest_machine kiln_states)
set(check_diagram ${CMAKE_SOURCE_DIR}/tests/diagram/check.sh $<TARGET_FILE:diagram> ${CMAKE_SOURCE_DIR}/states/README.md)
add_test(NAME states/diagram COMMAND ${check_diagram})
add_custom_target(diagrams COMMAND ${check_diagram} update DEPENDS diagram VERBATIM)
