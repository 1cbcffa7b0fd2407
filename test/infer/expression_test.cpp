#include "helper.h"
#include <catch2/catch.hpp>

using rowtrail::infer::test::evaluate;

TEST_CASE("expressions: literals") {
  CHECK(evaluate("1") == "int 1");
  CHECK(evaluate("-9223372036854775808") == "int -9223372036854775808");
  CHECK(evaluate("9223372036854775808") ==
        "syntax 0: the number does not fit in a signed integer of 64 bits");
  CHECK(evaluate("0x1F") == "int 31");
  CHECK(evaluate("-0x1f") == "int -31");
  CHECK(evaluate("18446744073709551615u") == "uint 18446744073709551615");
  CHECK(evaluate("1.5e3") == "double 1500");
  CHECK(evaluate(".5") == "double 0.5");
  CHECK(evaluate("true") == "bool true");
  CHECK(evaluate("null") == "null_type null");
  CHECK(evaluate(R"("a\tb\u00e9\x41\101")") == "string \"a\\tbéAA\"");
  CHECK(evaluate(R"(r'\d')") == R"(string "\\d")");
  CHECK(evaluate("'''a\n'b''''") == "syntax 10: the string is not closed");
  CHECK(evaluate("b'abc'") == "bytes \"YWJj\"");
  CHECK(evaluate(R"(b'\377')") == "bytes \"/w==\"");
  CHECK(evaluate("[1, 'a', [true],]") == "list [1,\"a\",[true]]");
  CHECK(evaluate("{'a': 1, 2: [3]}") == "map {\"a\":1,\"2\":[3]}");
}

TEST_CASE("expressions: precedence and associativity") {
  CHECK(evaluate("1 + 2 * 3 - 4 / 2") == "int 5");
  CHECK(evaluate("10 - 3 - 2") == "int 5");
  CHECK(evaluate("(1 + 2) * 3") == "int 9");
  CHECK(evaluate("1 + 2 == 3 && !false || 1 / 0 > 0") == "bool true");
  CHECK(evaluate("false ? 1 : true ? 2 : 3") == "int 2");
  CHECK(evaluate("--3") == "int 3");
  CHECK(evaluate("!!true") == "bool true");
  CHECK(evaluate("2 in [1, 2] && 'a' in {'a': 1}") == "bool true");
  CHECK(evaluate("[1, 2, 3][1] + {'a': 5}.a + {'b': 6}['b']") == "int 13");
}

TEST_CASE("expressions: integers overflow as errors, divide towards zero") {
  CHECK(evaluate("9223372036854775807 + 1") == "error: the result is out of range");
  CHECK(evaluate("-9223372036854775808 - 1") == "error: the result is out of range");
  CHECK(evaluate("-(-9223372036854775808)") == "error: the result is out of range");
  CHECK(evaluate("9223372036854775807 * 2") == "error: the result is out of range");
  CHECK(evaluate("-7 / 2") == "int -3");
  CHECK(evaluate("-7 % 2") == "int -1");
  CHECK(evaluate("1 / 0") == "error: division by zero");
  CHECK(evaluate("0u - 1u") == "error: the result is out of range");
  CHECK(evaluate("1 + 1u") == "error: cannot apply '+' to int and uint");
  CHECK(evaluate("1 + 1.0") == "error: cannot apply '+' to int and double");
}

TEST_CASE("expressions: decimals are exact") {
  CHECK(evaluate("decimal('0.1') + decimal('0.2')") == "decimal \"0.3\"");
  CHECK(evaluate("decimal('0.1') + decimal('0.2') == decimal('0.30')") == "bool true");
  CHECK(evaluate("decimal('12.50') * 2") == "decimal \"25.00\"");
  CHECK(evaluate("2 - decimal('0.75')") == "decimal \"1.25\"");
  CHECK(evaluate("decimal('10.00') == 10 && 10 == decimal('10')") == "bool true");
  CHECK(evaluate("decimal('0.10') == 0.1") == "bool true");
  CHECK(evaluate("decimal('19.99') * 0.07") == "decimal \"1.3993\"");
  CHECK(evaluate("decimal('1') / 3") == "decimal \"0.3333\"");
  CHECK(evaluate("decimal('2.00') / 3") == "decimal \"0.666667\"");
  CHECK(evaluate("decimal('-2.00') / 3") == "decimal \"-0.666667\"");
  CHECK(evaluate("decimal('7.5') % 2") == "decimal \"1.5\"");
  CHECK(evaluate("-decimal('0.05')") == "decimal \"-0.05\"");
  CHECK(evaluate("decimal('1') / 0") == "error: division by zero");
  CHECK(evaluate("decimal('x')") == "error: the string cannot be converted");
  CHECK(evaluate("int(decimal('-3.99'))") == "int -3");
  CHECK(evaluate("double(decimal('2.5'))") == "double 2.5");
  CHECK(evaluate("string(decimal('2.50'))") == "string \"2.50\"");
}

TEST_CASE("expressions: decimals as wide as DECIMAL(65,30)") {
  const std::string nines(65, '9');
  CHECK(evaluate("decimal('" + nines + "') + 1") == "decimal \"1" + std::string(65, '0') + "\"");
  CHECK(evaluate("decimal('" + nines + "') > 9223372036854775807") == "bool true");
  CHECK(evaluate("decimal('0." + std::string(29, '0') + "1') * 2") ==
        "decimal \"0." + std::string(29, '0') + "2\"");
  CHECK(evaluate("decimal('" + nines + "') * decimal('" + nines + "')") ==
        "error: the result is out of range");
  CHECK(evaluate("decimal('123456789012345678901234567890.5') - decimal('0.5') == "
                 "decimal('123456789012345678901234567890')") == "bool true");
  CHECK(evaluate("decimal('18446744073709551616') == 18446744073709551615u") == "bool false");
  CHECK(evaluate("decimal('18446744073709551615') == 18446744073709551615u") == "bool true");
}

TEST_CASE("expressions: numbers compare on one line") {
  CHECK(evaluate("1 == 1.0 && 1 == 1u && 1u == 1.0") == "bool true");
  CHECK(evaluate("9007199254740993 == 9007199254740992.0") == "bool false");
  CHECK(evaluate("9223372036854775807 < 9223372036854775808.0") == "bool true");
  CHECK(evaluate("-1 < 0u") == "bool true");
  CHECK(evaluate("0.0 / 0.0 == 0.0 / 0.0") == "bool false");
  CHECK(evaluate("0.0 / 0.0 < 1.0") == "bool false");
  CHECK(evaluate("1 == '1'") == "bool false");
  CHECK(evaluate("1 < '1'") == "error: cannot apply '<' to int and string");
  CHECK(evaluate("null == null && 1 != null") == "bool true");
  CHECK(evaluate("[1, 2.0] == [1.0, 2u]") == "bool true");
  CHECK(evaluate("{'a': 1, 'b': 2} == {'b': 2.0, 'a': 1u}") == "bool true");
}

TEST_CASE("expressions: logical operators absorb errors") {
  CHECK(evaluate("1 / 0 > 0 && false") == "bool false");
  CHECK(evaluate("false && 1 / 0 > 0") == "bool false");
  CHECK(evaluate("1 / 0 > 0 || true") == "bool true");
  CHECK(evaluate("1 / 0 > 0 && true") == "error: division by zero");
  CHECK(evaluate("1 && false") == "bool false");
  CHECK(evaluate("1 && true") == "error: a condition must be bool, not int");
  CHECK(evaluate("true ? 1 : 1 / 0") == "int 1");
  CHECK(evaluate("1 ? 2 : 3") == "error: a condition must be bool, not int");
  CHECK(evaluate("[1, 0].exists(x, 1 / x > 0)") == "bool true");
  CHECK(evaluate("[0, 1].all(x, 1 / x > 1)") == "bool false");
}

TEST_CASE("expressions: macros") {
  CHECK(evaluate("[1, 2, 3].all(x, x > 0)") == "bool true");
  CHECK(evaluate("[1, 2, 3].exists_one(x, x > 2)") == "bool true");
  CHECK(evaluate("[1, 2, 3].filter(x, x % 2 == 1).map(y, y * 10)") == "list [10,30]");
  CHECK(evaluate("[1, 2, 3].map(x, x > 1, x * x)") == "list [4,9]");
  CHECK(evaluate("{'a': 1, 'b': 2}.filter(k, k != 'a')") == "list [\"b\"]");
  CHECK(evaluate("[[1, 2], [3]].map(x, x.map(y, y + size(x)))") == "list [[3,4],[4]]");
  CHECK(evaluate("has({'a': null}.a) && !has({'a': 1}.b)") == "bool true");
  CHECK(evaluate("[1].map(x.y, x)") == "syntax 10: expected a plain name for the macro's variable");
  CHECK(evaluate("[1, 2].exists_one(x, 1 / (x - 1) > 0)") == "error: division by zero");
}

TEST_CASE("expressions: text functions") {
  CHECK(evaluate("size('naïve') + 'ab'.size()") == "int 7");
  CHECK(evaluate("'hello'.contains('ell') && 'hello'.startsWith('he') && 'hello'.endsWith('lo')") ==
        "bool true");
  CHECK(evaluate("'abc123'.matches('[a-z]+[0-9]+$') && matches('x', '^x$')") == "bool true");
  CHECK(evaluate("'x'.matches('(')") == "syntax 12: the regular expression is wrong: missing ): (");
  CHECK(evaluate("'x'.matches('(' + '')") == "error: the regular expression is wrong");
  CHECK(evaluate("'ÄbC'.lowerAscii() + 'x'.upperAscii()") == "string \"ÄbcX\"");
  CHECK(evaluate("'a,b'.split(',').join('-')") == "string \"a-b\"");
  CHECK(evaluate("'tacocat'.substring(4) + 'äöü'.substring(1, 2)") == "string \"catö\"");
  CHECK(evaluate("'aXbX'.replace('X', '--') + ' t '.trim()") == "string \"a--b--t\"");
  CHECK(evaluate("'abc'.indexOf('c')") == "int 2");
  CHECK(evaluate("min(3, 1, 2) + max([4, 9]) + sum([1, 2]) + abs(-5)") == "int 18");
  CHECK(evaluate("[decimal('1.10'), decimal('2.20')].sum()") == "decimal \"3.30\"");
  CHECK(evaluate("sum([])") == "int 0");
}

TEST_CASE("expressions: times and durations") {
  CHECK(evaluate("timestamp('2026-11-24T10:00:00Z') + duration('1h30m')") ==
        "timestamp \"2026-11-24T11:30:00Z\"");
  CHECK(evaluate("timestamp('2026-11-24T10:00:00+02:00') == timestamp('2026-11-24T08:00:00Z')") ==
        "bool true");
  CHECK(
      evaluate("timestamp('2026-11-24') - timestamp('2026-11-23T00:00:00Z') == duration('24h')") ==
      "bool true");
  CHECK(evaluate("timestamp('2026-11-24T10:00:00.25Z').getMilliseconds()") == "int 250");
  CHECK(evaluate("timestamp('2026-11-24T23:30:00Z').getHours('+02:00')") == "int 1");
  CHECK(evaluate("timestamp('2026-11-24T23:30:00Z').getDayOfWeek()") == "int 2");
  CHECK(evaluate("timestamp('2024-12-31T00:00:00Z').getDayOfYear()") == "int 365");
  CHECK(evaluate("duration('90m').getHours() + duration('90m').getMinutes()") == "int 91");
  CHECK(evaluate("string(duration('1m1ms'))") == "string \"60.001s\"");
  CHECK(evaluate("timestamp('9999-12-31T23:59:59Z') + duration('1s')") ==
        "error: the result is out of range");
  CHECK(evaluate("timestamp('2026-02-30T00:00:00Z')") == "error: the string cannot be converted");
  CHECK(evaluate("timestamp('2026-02-20T00:00:00Z').getHours('Europe/Paris')") ==
        "error: the string cannot be converted");
}

TEST_CASE("expressions: conversions and types") {
  CHECK(evaluate("int('-42') + int(3.99) + int(7u)") == "int -32");
  CHECK(evaluate("int('4x')") == "error: the string cannot be converted");
  CHECK(evaluate("int(1e19)") == "error: the result is out of range");
  CHECK(evaluate("uint(-1)") == "error: the result is out of range");
  CHECK(evaluate("string(1) + string(2u) + string(1.5) + string(true)") == "string \"121.5true\"");
  CHECK(evaluate("string(b'\\xff')") == "error: the bytes cannot be converted");
  CHECK(evaluate("bool('true') && !bool('F')") == "bool true");
  CHECK(evaluate("type(1) == int && type(type(1)) == type && type(decimal(1)) == decimal") ==
        "bool true");
  CHECK(evaluate("dyn(1) == 1") == "bool true");
}

TEST_CASE("expressions: mistakes are pointed at") {
  CHECK(evaluate("") == "syntax 0: the expression is empty");
  CHECK(evaluate("1 +") == "syntax 3: expected a value, found the end");
  CHECK(evaluate("(1") == "syntax 2: expected ')' to close the parenthesis, found the end");
  CHECK(evaluate("a = 1") == "syntax 2: '=' compares nothing; write '=='");
  CHECK(evaluate("1 & 2") == "syntax 2: write '&&' for a logical operator");
  CHECK(evaluate("'abc") == "syntax 0: the string is not closed");
  CHECK(evaluate("foo + 1") == "syntax 0: no name 'foo'");
  CHECK(evaluate("siez([])") == "syntax 0: no function 'siez'; did you mean 'size'?");
  CHECK(evaluate("'a'.size('b')") ==
        "syntax 4: size() is called as size(string | bytes | list | map) → int");
  CHECK(evaluate("1 2") == "syntax 2: unexpected '2'");
  CHECK(evaluate("for") == "syntax 0: 'for' is a reserved word");
  CHECK(evaluate("Foo{a: 1}") == "syntax 3: messages cannot be built; write a map {…}");
  CHECK(evaluate("'\\q'") == "syntax 1: unknown escape sequence; write '\\\\' for a backslash");
}

TEST_CASE("expressions: what CEL demands at least is accepted") {
  const auto repeat = [](const std::string& unit, const std::string& glue, int times) {
    std::string out = unit;
    for (int n = 1; n < times; ++n) out += glue + unit;
    return out;
  };
  CHECK(evaluate(repeat("true", " && ", 32)) == "bool true");
  CHECK(evaluate(repeat("false", " || ", 32)) == "bool false");
  CHECK(evaluate("max(" + repeat("1", ", ", 32) + ")") == "int 1");
  CHECK(evaluate(repeat("1", " + ", 32)) == "int 32");
  CHECK(evaluate("size([" + repeat("1", ", ", 32) + "])") == "int 32");
  std::string nested = "1";
  for (int n = 0; n < 24; ++n) nested = "true ? (" + nested + ") : 0";
  CHECK(evaluate(nested) == "int 1");
}

TEST_CASE("expressions: limits hold") {
  CHECK(evaluate(std::string(20'000, '1')).find("longer than") != std::string::npos);
  CHECK(evaluate(std::string(5'000, '(') + "1").find("nested too deeply") != std::string::npos);
  CHECK(evaluate(std::string(5'000, '-') + "1").find("nested too deeply") != std::string::npos);
  CHECK(evaluate(std::string(5'000, '[') + "1").find("nested too deeply") != std::string::npos);
  std::string sum = "1";
  for (int n = 0; n < 4'000; ++n) sum += "+1";
  CHECK(evaluate(sum).find("nested too deeply") != std::string::npos);
  std::string slow = "1 / 0 > 0";
  for (int n = 0; n < 20; ++n) slow = "[0, 1].all(x" + std::to_string(n) + ", " + slow + ")";
  CHECK(evaluate(slow).find("costs too much") != std::string::npos);
  std::string wide = "['foobarbaz', 'bar']";
  for (int n = 0; n < 24; ++n) wide += ".map(x, [x + x, x + x])";
  CHECK(evaluate(wide).ends_with("?"));  // shared items: too large to be written out
  CHECK(evaluate("'x'.matches('" + std::string(2'000, 'a') + "')").find("longer than") !=
        std::string::npos);
  CHECK(evaluate("'x'.matches('((a{100}){100}){100}')").find("syntax") == 0);
}
