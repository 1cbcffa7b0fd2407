# The dashboard: built by Vite into the build folder, and from there into the binary (embed.mjs).
# npm is asked only when the lockfile changed, Vite only when a source did; what does not type-check
# is not built.
find_program(NODE node REQUIRED)
find_program(NPM npm REQUIRED)
set(web ${PROJECT_SOURCE_DIR}/web)
set(out ${PROJECT_BINARY_DIR}/web)
file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${web}/src/* ${web}/public/*)

set(installed ${web}/node_modules/.package-lock.json)
add_custom_command(
  OUTPUT ${installed}
  # One build folder at a time: npm ci empties node_modules first. Whoever waited finds it done.
  COMMAND flock ${web}/package-lock.json sh -c "[ ${installed} -nt package-lock.json ] && [ ${installed} -nt package.json ] || { ${NPM} ci --no-audit --no-fund --loglevel=error && touch ${installed}; }"
  DEPENDS ${web}/package-lock.json ${web}/package.json
  WORKING_DIRECTORY ${web}
  COMMENT "Installing what the dashboard is built with (npm ci)"
  VERBATIM)
add_custom_command(
  OUTPUT ${out}/dashboard_assets.cpp
  COMMAND ${NODE} node_modules/typescript/bin/tsc --noEmit
  COMMAND ${NODE} node_modules/vite/bin/vite.js build --logLevel warn --emptyOutDir --outDir ${out}/dist
  COMMAND ${NODE} embed.mjs ${out}/dist ${out}
  DEPENDS ${installed} ${sources} ${web}/index.html ${web}/vite.config.ts ${web}/tsconfig.json ${web}/embed.mjs
  WORKING_DIRECTORY ${web}
  COMMENT "Building the dashboard"
  VERBATIM)
target_sources(rowtrail_server PRIVATE ${out}/dashboard_assets.cpp)
