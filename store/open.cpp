#include "store/log.h"
#include "store/store.h"

namespace rowtrail::store {

std::unique_ptr<Database> open_database(const Url& url, Access access) {
  return url.engine == Engine::Sqlite ? open_sqlite(url, access) : open_postgres(url, access);
}

std::unique_ptr<Writer> open_writer(const std::string& text, WriterOptions options) {
  const auto url = Url::parse(text);
  return make_writer(open_database(url, Access::Write), url, std::move(options));
}

std::unique_ptr<Reader> open_reader(const std::string& text) {
  const auto url = Url::parse(text);
  return make_reader(open_database(url, Access::Read), url);
}

}  // namespace rowtrail::store
