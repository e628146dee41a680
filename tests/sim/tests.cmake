# The simulator: the real rooms, linked behind false parts in place of loop, store, libvirt, sockets, files and randomness: what
# a false part defines is not taken from a room's archive.
file(GLOB sim_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/sim/*.c)
add_executable(sim ${sim_sources})
target_link_libraries(sim PRIVATE kiln_core kiln_guest)
# coverage.c counts the rows that guests take.
target_link_options(sim PRIVATE -Wl,--wrap=guest_step)

add_test(NAME sim/lives COMMAND sim --lives 10000 --every-row --save ${CMAKE_BINARY_DIR}/sim.story)
set_tests_properties(sim/lives PROPERTIES TIMEOUT 1200)
add_test(NAME sim/every_point COMMAND sim --every-point)
set_tests_properties(sim/every_point PROPERTIES TIMEOUT 600)
add_test(NAME sim/replayed COMMAND ${CMAKE_SOURCE_DIR}/tests/sim/replayed.sh $<TARGET_FILE:sim>)

# Lives that once broke a claim; and lies, each of which a claim must notice.
foreach(kind stories lies)
  file(GLOB sim_stories CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/sim/${kind}/*.story)
  foreach(path ${sim_stories})
    get_filename_component(name ${path} NAME_WE)
    add_test(NAME sim/${kind}/${name} COMMAND sim --story ${path})
  endforeach()
endforeach()
