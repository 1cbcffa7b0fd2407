# The Debian package: cpack -G DEB in the folder of a static build (`make deb`).
include(GNUInstallDirs)
install(TARGETS rowtrail RUNTIME DESTINATION bin)
install(FILES deploy/systemd/rowtrail.service deploy/summary/rowtrail-summary.service
              deploy/summary/rowtrail-summary.timer
        DESTINATION lib/systemd/system)
install(FILES README.md NOTICE deploy/rowtrail.example.yaml DESTINATION share/doc/rowtrail)
install(DIRECTORY docs/ DESTINATION share/doc/rowtrail FILES_MATCHING PATTERN "*.md")
install(FILES LICENSE DESTINATION share/doc/rowtrail RENAME copyright)

set(CPACK_PACKAGE_NAME rowtrail)
set(CPACK_PACKAGE_VENDOR rowtrail)
set(CPACK_PACKAGE_CONTACT "rowtrail <rowtrail@example.com>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "What happened in a MySQL or MariaDB database, who did it, and the proof")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${PROJECT_SOURCE_DIR}/deploy/systemd/postinst;${PROJECT_SOURCE_DIR}/deploy/systemd/prerm)
include(CPack)
