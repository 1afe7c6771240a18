import { describe } from 'vitest';
import { checkTable } from './fixtures.ts';

describe('literals', () =>
  checkTable(String.raw`
  0                                   =>  0
  -0                                  =>  0
  42                                  =>  42
  -42                                 =>  -42
  0x1F                                =>  31
  -0xff                               =>  -255
  9223372036854775807                 =>  9223372036854775807
  -9223372036854775808                =>  -9223372036854775808
  9223372036854775808                 =>  ? 9223372036854775808 is larger than any int
  0u                                  =>  0u
  42u                                 =>  42u
  0xFFu                               =>  255u
  18446744073709551615u               =>  18446744073709551615u
  18446744073709551616u               =>  ? 18446744073709551616u is larger than any uint
  1.5                                 =>  1.5
  .25                                 =>  0.25
  1e3                                 =>  1000.0
  1.5e-3                              =>  0.0015
  -2.0                                =>  -2.0
  1e999                               =>  ? 1e999 is larger than any double
  true                                =>  true
  false                               =>  false
  null                                =>  null
  ""                                  =>  ""
  'single'                            =>  "single"
  "double"                            =>  "double"
  'it"s'                              =>  "it\"s"
  "a\tb\n"                            =>  "a\tb\n"
  "\x41\u00e4\U0001F600\101"          =>  "Aä😀A"
  "\a\b\f\v\?\'"                      =>  "\u0007\b\f\u000b?'"
  r"\d+"                              =>  "\\d+"
  R'\n'                               =>  "\\n"
  """a "quoted" text"""               =>  "a \"quoted\" text"
  '''it's'''                          =>  "it's"
  "\q"                                =>  ? \q is no escape sequence here
  "\ud800"                            =>  ? \ud800 is no Unicode character
  b"abc"                              =>  b"616263"
  b"\xff\000"                         =>  b"ff00"
  b"ä"                                =>  b"c3a4"
  br"\x"                              =>  b"5c78"
  []                                  =>  []
  [1, "a", null, 2.5]                 =>  [1, "a", null, 2.5]
  [1, 2,]                             =>  [1, 2]
  {}                                  =>  {}
  {"a": 1, "b": [2]}                  =>  {"a": 1, "b": [2]}
  {1: "int", true: "bool"}            =>  {1: "int", true: "bool"}
  {1u: 2}[1]                          =>  2
  {"a": 1, "a": 2}                    =>  ? the key a stands twice in this map
  {1: 1, 1u: 2}                       =>  ? the key 1 stands twice in this map
  {1.5: 1}                            =>  ? the key of a map can not be double
  {x: 1, 5: 2}                        =>  !value
  {j.f: 1}                            =>  !type
  "__proto__"                         =>  "__proto__"
  {"__proto__": 1}                    =>  {"__proto__": 1}
  {"__proto__": 1}.__proto__          =>  1
  `));

describe('arithmetic', () =>
  checkTable(`
  1 + 2                               =>  3
  5 - 7                               =>  -2
  6 * 7                               =>  42
  7 / 2                               =>  3
  -7 / 2                              =>  -3
  7 % 3                               =>  1
  -7 % 3                              =>  -1
  1 + 2 * 3                           =>  7
  (1 + 2) * 3                         =>  9
  10 - 3 - 2                          =>  5
  -(-3)                               =>  3
  - 3                                 =>  -3
  --3                                 =>  3
  9223372036854775807 + 1             =>  !value
  -9223372036854775808 - 1            =>  !value
  9223372036854775807 * 2             =>  !value
  -(-9223372036854775808)             =>  !value
  -9223372036854775808 / -1           =>  !value
  1 / 0                               =>  !value
  1 % 0                               =>  !value
  1.5 + 2.25                          =>  3.75
  1.0 / 0.0                           =>  Infinity
  -1.0 / 0.0                          =>  -Infinity
  0.0 / 0.0                           =>  NaN
  5.0 % 2.0                           =>  ? "%" does not take double and double
  1 + 1.5                             =>  2.5
  1.5 * 2                             =>  3.0
  3 / 2.0                             =>  1.5
  x + 1                               =>  6
  x + y                               =>  7.5
  y + x                               =>  7.5
  y * 2                               =>  5.0
  j.n + 1                             =>  2
  j.f + 1                             =>  2.5
  j.n / 2                             =>  0
  j.big + 1                           =>  !value
  j.s + 1                             =>  !type
  i + d                               =>  7.5
  1u + 2u                             =>  3u
  1u - 2u                             =>  !value
  18446744073709551615u + 1u          =>  !value
  7u / 2u                             =>  3u
  7u % 4u                             =>  3u
  1u + 0.5                            =>  1.5
  1 + 1u                              =>  ? "+" does not take int and uint
  -1u                                 =>  ? "-" does not take uint
  "a" + "b"                           =>  "ab"
  "a" + 1                             =>  ? "+" does not take string and int
  b"a" + b"b"                         =>  b"6162"
  [1] + [2, 3]                        =>  [1, 2, 3]
  [1] + ["a"]                         =>  [1, "a"]
  [] + []                             =>  []
  {} + {}                             =>  ? "+" does not take map and map
  null + 1                            =>  ? "+" does not take null and int
  true + true                         =>  ? "+" does not take bool and bool
  -true                               =>  ? "-" does not take bool
  -"a"                                =>  ? "-" does not take string
  j.l + [4]                           =>  [1, 2, 3, 4]
  `));

describe('equality', () =>
  checkTable(`
  1 == 1                              =>  true
  1 == 2                              =>  false
  1 != 2                              =>  true
  1 == 1.0                            =>  true
  1 == 1u                             =>  true
  1u == 1.0                           =>  true
  9007199254740993 == 9007199254740992.0  =>  false
  9223372036854775807 == 9223372036854775807.0  =>  false
  0.0 == -0.0                         =>  true
  0.0 / 0.0 == 0.0 / 0.0              =>  false
  0.0 / 0.0 != 0.0 / 0.0              =>  true
  "a" == "a"                          =>  true
  "a" == "A"                          =>  false
  "ä" == "a\\u0308"                   =>  false
  b"a" == b"a"                        =>  true
  b"a" == b"b"                        =>  false
  true == true                        =>  true
  null == null                        =>  true
  x == null                           =>  false
  null == x                           =>  false
  j.z == null                         =>  true
  j.z != null                         =>  false
  "a" == null                         =>  false
  1 == null                           =>  false
  [] == null                          =>  false
  null != {}                          =>  true
  1 == "1"                            =>  ? int and string are never equal
  true == 1                           =>  ? bool and int are never equal
  [1] == 1                            =>  ? list(int) and int are never equal
  dyn(1) == "1"                       =>  false
  dyn(true) == 1                      =>  false
  dyn([1]) == {}                      =>  false
  [1, 2] == [1, 2]                    =>  true
  [1, 2] == [2, 1]                    =>  false
  [1, 2] == [1]                       =>  false
  [1] == [1.0]                        =>  true
  [[1], [2]] == [[1], [2]]            =>  true
  [] == []                            =>  true
  {} == {}                            =>  true
  {"a": 1} == {"a": 1.0}              =>  true
  {"a": 1} == {"a": 2}                =>  false
  {"a": 1} == {"b": 1}                =>  false
  {"a": 1, "b": 2} == {"b": 2, "a": 1}  =>  true
  {"a": 1} == {"a": 1, "b": 2}        =>  false
  {"a": null} == {"b": null}          =>  false
  j.l == [1, 2, 3]                    =>  true
  j.o == {"constructor": "c", "__proto__": "p"}  =>  true
  request.cookies == {}               =>  true
  request.query == {"a": "1", "b": "x y"}  =>  true
  timestamp("2024-01-01T00:00:00Z") == timestamp("2024-01-01T01:00:00+01:00")  =>  true
  duration("60s") == duration("1m")   =>  true
  int == type(1)                      =>  true
  int == uint                         =>  false
  `));

describe('order', () =>
  checkTable(`
  1 < 2                               =>  true
  2 < 1                               =>  false
  1 <= 1                              =>  true
  1 > 1                               =>  false
  1 >= 1                              =>  true
  1 < 1.5                             =>  true
  1.5 < 2u                            =>  true
  -1 < 0u                             =>  true
  9007199254740993 > 9007199254740992.0  =>  true
  x > y                               =>  true
  j.n < 2.5                           =>  true
  "a" < "b"                           =>  true
  "a" < "B"                           =>  false
  "" < "a"                            =>  true
  "ab" < "abc"                        =>  true
  "\\uffff" < "\\U00010000"           =>  true
  b"a" < b"b"                         =>  true
  false < true                        =>  true
  0.0 / 0.0 < 1.0                     =>  false
  0.0 / 0.0 >= 1.0                    =>  false
  0.0 / 0.0 == 1.0                    =>  false
  timestamp("2024-01-01T00:00:00Z") < timestamp("2024-01-02T00:00:00Z")  =>  true
  duration("1s") < duration("1m")     =>  true
  1 < "a"                             =>  ? "<" does not compare int with string
  [1] < [2]                           =>  ? "<" does not compare list(int) with list(int)
  null < 1                            =>  ? "<" does not compare null with int
  {} < {}                             =>  ? "<" does not compare map with map
  x < j.s                             =>  !type
  j.z < 1                             =>  !type
  1 < 2 == true                       =>  true
  `));

describe('logic', () =>
  checkTable(`
  true && true                        =>  true
  true && false                       =>  false
  false || true                       =>  true
  false || false                      =>  false
  !true                               =>  false
  !!true                              =>  true
  true || missing                     =>  true
  missing || true                     =>  true
  false && missing                    =>  false
  missing && false                    =>  false
  missing && true                     =>  !absent
  true && missing                     =>  !absent
  missing || false                    =>  !absent
  1 / 0 == 1 || true                  =>  true
  true || 1 / 0 == 1                  =>  true
  1 / 0 == 1 && false                 =>  false
  1 / 0 == 1 && true                  =>  !value
  x || true                           =>  true
  true && x                           =>  !type
  x && false                          =>  false
  !x                                  =>  !type
  1 && true                           =>  ? each side of "&&" must be bool, not int
  true || "a"                         =>  ? each side of "||" must be bool, not string
  !1                                  =>  ? what stands behind "!" must be bool, not int
  true ? 1 : 2                        =>  1
  false ? 1 : 2                       =>  2
  false ? 1 : true ? 2 : 3            =>  2
  true ? x : null                     =>  5
  false ? x : null                    =>  null
  true ? null : "a"                   =>  null
  true ? 1 : 2.5                      =>  1
  (true ? 1 : 2.5) + 1                =>  2
  true ? 1 : missing                  =>  1
  missing ? 1 : 2                     =>  !absent
  x ? 1 : 2                           =>  !type
  true ? 1 : "a"                      =>  ? the two sides of ":" are int and string
  true ? dyn(1) : "a"                 =>  1
  1 ? 2 : 3                           =>  ? what stands before "?" must be bool, not int
  true || false && false              =>  true
  `));
