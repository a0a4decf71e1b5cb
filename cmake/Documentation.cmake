# SPDX-License-Identifier: Apache-2.0
# Manual pages and completion, made by the program itself from the tables that it parses options with.
set(docs ${PROJECT_BINARY_DIR}/docs)
set(pages ${docs}/sbuild.1)
add_custom_command(OUTPUT ${docs}/sbuild.1
  COMMAND sbuild help --man > ${docs}/sbuild.1 DEPENDS sbuild VERBATIM)
foreach(command IN LISTS SBUILD_COMMANDS)
  add_custom_command(OUTPUT ${docs}/sbuild-${command}.1
    COMMAND sbuild help --man ${command} > ${docs}/sbuild-${command}.1 DEPENDS sbuild VERBATIM)
  list(APPEND pages ${docs}/sbuild-${command}.1)
endforeach()
foreach(shell IN ITEMS bash zsh fish)
  add_custom_command(OUTPUT ${docs}/sbuild.${shell}
    COMMAND sbuild help --completion ${shell} > ${docs}/sbuild.${shell} DEPENDS sbuild VERBATIM)
endforeach()
file(MAKE_DIRECTORY ${docs})
add_custom_target(sbuild_docs ALL DEPENDS ${pages} ${docs}/sbuild.bash ${docs}/sbuild.zsh ${docs}/sbuild.fish)

install(FILES ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(FILES ${docs}/sbuild.bash DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME sbuild)
install(FILES ${docs}/sbuild.fish DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
install(CODE "set(sbuild_zsh [[${docs}/sbuild.zsh]])")
install(CODE [[
  # Below /usr, Debian's zsh looks into vendor-completions alone.
  if(CMAKE_INSTALL_PREFIX STREQUAL "/usr" AND EXISTS /etc/debian_version)
    set(sbuild_zsh_dir vendor-completions)
  else()
    set(sbuild_zsh_dir site-functions)
  endif()
  file(INSTALL ${sbuild_zsh} DESTINATION ${CMAKE_INSTALL_PREFIX}/share/zsh/${sbuild_zsh_dir} RENAME _sbuild)
]])
install(FILES ${PROJECT_SOURCE_DIR}/README.md ${PROJECT_SOURCE_DIR}/CHANGELOG.md ${PROJECT_SOURCE_DIR}/LICENSE DESTINATION ${CMAKE_INSTALL_DOCDIR})
install(DIRECTORY ${PROJECT_SOURCE_DIR}/docs/ DESTINATION ${CMAKE_INSTALL_DOCDIR} FILES_MATCHING PATTERN "*.md")
