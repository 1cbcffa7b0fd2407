# The Debian package of dist/rowtrail: `make deb` (deploy/static/package.sh).
set(dist ${PROJECT_SOURCE_DIR}/dist)
install(PROGRAMS ${dist}/rowtrail DESTINATION bin)
install(FILES deploy/systemd/rowtrail.service deploy/systemd/rowtrail-summary.service
              deploy/systemd/rowtrail-summary.timer
        DESTINATION lib/systemd/system)
install(FILES ${dist}/package/rowtrail.1.gz DESTINATION share/man/man1)
install(FILES ${dist}/package/rowtrail.bash DESTINATION share/bash-completion/completions RENAME rowtrail)
install(FILES ${dist}/package/rowtrail.zsh DESTINATION share/zsh/vendor-completions RENAME _rowtrail)
install(FILES ${dist}/package/rowtrail.fish DESTINATION share/fish/vendor_completions.d)
install(FILES README.md NOTICE deploy/rowtrail.example.yaml deploy/prometheus-alerts.yaml
              ${dist}/rowtrail.cdx.json ${dist}/package/LICENSES.txt.gz
        DESTINATION share/doc/rowtrail)
install(DIRECTORY docs/ DESTINATION share/doc/rowtrail FILES_MATCHING PATTERN "*.md" PATTERN img EXCLUDE)
install(DIRECTORY deploy/cron DESTINATION share/doc/rowtrail)
install(FILES ${dist}/package/copyright DESTINATION share/doc/rowtrail)
install(DIRECTORY DESTINATION /etc/rowtrail)

set(CPACK_PACKAGE_NAME rowtrail)
set(CPACK_PACKAGE_VENDOR rowtrail)
set(CPACK_PACKAGE_CONTACT "rowtrail <rowtrail@example.com>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "what happened in a MySQL or MariaDB database, who did it, and the proof")
set(CPACK_PACKAGE_DESCRIPTION "Joins MySQL or MariaDB as a read-only replica, names the business event
behind every committed change and keeps an append-only log of them that
can be queried and proved. No change to the application.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES OFF)
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(scripts ${PROJECT_SOURCE_DIR}/deploy/systemd)
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${scripts}/postinst;${scripts}/prerm;${scripts}/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
