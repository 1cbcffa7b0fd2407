#pragma once

namespace rowtrail::cli {

/// Where this machine keeps the certificates of public authorities. A static binary looks for them
/// where the machine that built it has them, and finds none on another distribution or in an empty
/// container: then SSL_CERT_FILE is set to the bundle that is there, for all that speaks TLS. What
/// the user set stays. To be called before there are threads.
void find_authorities();

}  // namespace rowtrail::cli
