# The owner's page, built from web/ where node is there: build/web is what kiln-edge and kiln-connect web serve.
find_program(NODE NAMES node nodejs)
find_program(NPM npm)
if(NODE AND NPM AND NOT KILN_SANITIZE AND NOT KILN_FUZZ)
  set(web ${CMAKE_CURRENT_LIST_DIR})
  file(GLOB_RECURSE web_sources CONFIGURE_DEPENDS ${web}/src/*.js ${web}/style/*.css)
  add_custom_command(
    OUTPUT ${CMAKE_BINARY_DIR}/web-modules.stamp
    COMMAND ${CMAKE_COMMAND} -E env PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 ${NPM} ci --ignore-scripts --no-audit --no-fund --loglevel=error
    COMMAND ${CMAKE_COMMAND} -E touch ${CMAKE_BINARY_DIR}/web-modules.stamp
    DEPENDS ${web}/package.json ${web}/package-lock.json
    WORKING_DIRECTORY ${web}
    COMMENT "the page's modules, from the lock file")
  add_custom_command(
    OUTPUT ${CMAKE_BINARY_DIR}/web/index.html
    COMMAND ${NODE} ${web}/build.js ${CMAKE_BINARY_DIR}/web
    DEPENDS ${CMAKE_BINARY_DIR}/web-modules.stamp ${web}/build.js ${web}/index.html ${web}/icon.svg ${CMAKE_SOURCE_DIR}/protocol/code.h ${web_sources}
    COMMENT "the page")
  add_custom_target(web ALL DEPENDS ${CMAKE_BINARY_DIR}/web/index.html)
endif()
