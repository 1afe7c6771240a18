import { describe } from 'vitest';
import { checkTable } from './fixtures.ts';

describe('members and elements', () =>
  checkTable(`
  {"a": {"b": 1}}.a.b                 =>  1
  {"a": 1}["a"]                       =>  1
  {"a": 1}.b                          =>  !absent
  {"a": 1}["b"]                       =>  !absent
  {1: "x"}[1]                         =>  "x"
  {1: "x"}[1.0]                       =>  "x"
  {1: "x"}[1u]                        =>  "x"
  {1: "x"}[1.5]                       =>  !absent
  {true: "x"}[true]                   =>  "x"
  {1: "x"}.a                          =>  ? the keys of this map are int, not string
  [1, 2, 3][0]                        =>  1
  [1, 2, 3][2]                        =>  3
  [1, 2, 3][1.0]                      =>  2
  [1, 2, 3][1u]                       =>  2
  [1, 2, 3][3]                        =>  !absent
  [1, 2, 3][-1]                       =>  !absent
  [1, 2, 3][0.5]                      =>  !absent
  [1]["a"]                            =>  ? list(int) has no member "a"
  [[1, 2], [3]][0][1]                 =>  2
  "abc"[0]                            =>  ? string has no elements
  "abc".a                             =>  ? string has no member "a"
  1 .a                                =>  ? int has no member "a"
  j.n                                 =>  1
  j.s                                 =>  "text"
  j.l[1]                              =>  2
  j.l[x]                              =>  !absent
  j.l["a"]                            =>  !type
  j.n.a                               =>  !type
  j.z.a                               =>  !type
  j.l.a                               =>  !type
  j.o.constructor                     =>  "c"
  j.o.__proto__                       =>  "p"
  j.o["__proto__"]                    =>  "p"
  j.constructor                       =>  !absent
  j.toString                          =>  !absent
  j.get                               =>  !absent
  j.hasOwnProperty                    =>  !absent
  j.big                               =>  123456789012345678901234567890
  j.\`s\`                               =>  "text"
  has(j.n)                            =>  true
  has(j.q)                            =>  false
  has(j.z)                            =>  true
  has(j["n"])                         =>  true
  has({"a": 1}.a)                     =>  true
  has({"a": 1}.b)                     =>  false
  has(j.o.constructor)                =>  true
  has(j.constructor)                  =>  false
  has(j.q.r)                          =>  !absent
  has(j.n.r)                          =>  !type
  has(missing.a)                      =>  !absent
  has(request.headers.host)           =>  false
  has(request.query.a)                =>  true
  has(x)                              =>  ? has() asks for one member
  has(j.l[0])                         =>  ? has() asks for one member
  1 in [1, 2]                         =>  true
  3 in [1, 2]                         =>  false
  1.0 in [1, 2]                       =>  true
  "a" in ["a", "b"]                   =>  true
  "c" in ["a", "b"]                   =>  false
  [1] in [[1], [2]]                   =>  true
  null in [1, null]                   =>  true
  "a" in {"a": 1}                     =>  true
  "b" in {"a": 1}                     =>  false
  1 in {1: 2}                         =>  true
  1.0 in {1: 2}                       =>  true
  "constructor" in j                  =>  false
  "n" in j                            =>  true
  2 in j.l                            =>  true
  "a" in request.query                =>  true
  "zz" in request.query               =>  false
  "a" in []                           =>  false
  x in [5]                            =>  true
  1 in ["a"]                          =>  ? int is never in a list of string
  "a" in "abc"                        =>  ? "in" looks into a list or a map, not into string
  1 in x                              =>  !type
  `));

describe('conversions and types', () =>
  checkTable(`
  int(1.9)                            =>  1
  int(-1.9)                           =>  -1
  int("42")                           =>  42
  int("-42")                          =>  -42
  int("4.2")                          =>  !value
  int("")                             =>  !value
  int(" 1")                           =>  !value
  int("0x10")                         =>  !value
  int("9223372036854775808")          =>  !value
  int(1e19)                           =>  !value
  int(0.0 / 0.0)                      =>  !value
  int(5u)                             =>  5
  int(18446744073709551615u)          =>  !value
  int(timestamp("1970-01-01T00:01:00Z"))  =>  60
  int(true)                           =>  ? int() does not take (bool)
  int(j.s)                            =>  !value
  int(j.l)                            =>  !type
  uint(5)                             =>  5u
  uint(-1)                            =>  !value
  uint("5")                           =>  5u
  uint("-5")                          =>  !value
  uint(5.5)                           =>  5u
  double(1)                           =>  1.0
  double(1u)                          =>  1.0
  double("1.5e3")                     =>  1500.0
  double("NaN")                       =>  NaN
  double("-Infinity")                 =>  -Infinity
  double("1,5")                       =>  !value
  double("1e400")                     =>  !value
  double("")                          =>  !value
  string(1)                           =>  "1"
  string(1u)                          =>  "1"
  string(1.5)                         =>  "1.5"
  string(1.0)                         =>  "1"
  string(true)                        =>  "true"
  string(b"abc")                      =>  "abc"
  string(b"\\xff")                    =>  !value
  string("a")                         =>  "a"
  string(j.big)                       =>  "123456789012345678901234567890"
  string(null)                        =>  ? string() does not take (null)
  string([1])                         =>  ? string() does not take (list(int))
  string(timestamp("2024-05-17T09:30:00.500Z"))  =>  "2024-05-17T09:30:00.5Z"
  string(timestamp("2024-05-17T09:30:00Z"))  =>  "2024-05-17T09:30:00Z"
  string(duration("90m"))             =>  "5400s"
  string(duration("1500ms"))          =>  "1.5s"
  bytes("ä")                          =>  b"c3a4"
  bool("true")                        =>  true
  bool("false")                       =>  false
  bool("yes")                         =>  !value
  type(1)                             =>  int
  type(1u)                            =>  uint
  type(1.0)                           =>  double
  type("a")                           =>  string
  type(b"a")                          =>  bytes
  type(true)                          =>  bool
  type(null)                          =>  null_type
  type([])                            =>  list
  type({})                            =>  map
  type(request)                       =>  map
  type(request.headers)               =>  map
  type(int)                           =>  type
  type(type(1))                       =>  type
  type(timestamp(0))                  =>  google.protobuf.Timestamp
  type(1) == int                      =>  true
  type("a") == string                 =>  true
  type([]) == list                    =>  true
  type({}) == map                     =>  true
  type(null) == null_type             =>  true
  type(x) == double                   =>  false
  type(timestamp(0)) == google.protobuf.Timestamp  =>  true
  type(duration("1s")) == google.protobuf.Duration  =>  true
  dyn(1) + 1                          =>  2
  `));

describe('times', () =>
  checkTable(`
  timestamp("2024-05-17T09:30:15.250Z")  =>  2024-05-17T09:30:15.250Z
  timestamp("2024-05-17T09:30:15+02:00")  =>  2024-05-17T07:30:15.000Z
  timestamp("2024-02-30T00:00:00Z")   =>  !value
  timestamp("2024-05-17T24:00:00Z")   =>  !value
  timestamp("2024-05-17")             =>  !value
  timestamp("0000-01-01T00:00:00Z")   =>  !value
  timestamp("9999-12-31T23:59:59Z") + duration("1s")  =>  !value
  timestamp(60)                       =>  1970-01-01T00:01:00.000Z
  timestamp("2024-01-01T00:00:00Z") + duration("36h")  =>  2024-01-02T12:00:00.000Z
  duration("36h") + timestamp("2024-01-01T00:00:00Z")  =>  2024-01-02T12:00:00.000Z
  timestamp("2024-01-02T00:00:00Z") - duration("1s")  =>  2024-01-01T23:59:59.000Z
  timestamp("2024-01-02T00:00:00Z") - timestamp("2024-01-01T00:00:00Z")  =>  86400000ms
  duration("1h30m")                   =>  5400000ms
  duration("250ms")                   =>  250ms
  duration("-1.5s")                   =>  -1500ms
  duration("0")                       =>  0ms
  duration("1d")                      =>  !value
  duration("")                        =>  !value
  duration("400000000000s")           =>  !value
  duration("1s") + duration("1m")     =>  61000ms
  duration("1m") - duration("1s")     =>  59000ms
  -duration("1s")                     =>  -1000ms
  duration("1s") * 2                  =>  ? "*" does not take duration and int
  timestamp(0) + timestamp(0)         =>  ? "+" does not take timestamp and timestamp
  timestamp("2024-05-17T09:30:15.250Z").getFullYear()  =>  2024
  timestamp("2024-05-17T09:30:15.250Z").getMonth()  =>  4
  timestamp("2024-05-17T09:30:15.250Z").getDate()  =>  17
  timestamp("2024-05-17T09:30:15.250Z").getDayOfMonth()  =>  16
  timestamp("2024-05-17T09:30:15.250Z").getDayOfWeek()  =>  5
  timestamp("2024-05-17T09:30:15.250Z").getDayOfYear()  =>  137
  timestamp("2024-05-17T09:30:15.250Z").getHours()  =>  9
  timestamp("2024-05-17T09:30:15.250Z").getHours("Europe/Berlin")  =>  11
  timestamp("2024-01-17T23:30:15Z").getDate("Europe/Berlin")  =>  18
  timestamp("2024-05-17T09:30:15.250Z").getHours("+05:30")  =>  15
  timestamp("2024-05-17T09:30:15.250Z").getHours("-02:00")  =>  7
  timestamp("2024-05-17T09:30:15.250Z").getMinutes()  =>  30
  timestamp("2024-05-17T09:30:15.250Z").getSeconds()  =>  15
  timestamp("2024-05-17T09:30:15.250Z").getMilliseconds()  =>  250
  timestamp(0).getHours("Mars/Base")  =>  !value
  duration("90m").getHours()          =>  1
  duration("90m").getMinutes()        =>  90
  duration("90s").getSeconds()        =>  90
  duration("1234ms").getMilliseconds()  =>  234
  duration("1.005s").getMilliseconds()  =>  5
  duration("1.005s") == duration("1005ms")  =>  true
  duration("100us") + duration("200us") == duration("300us")  =>  true
  duration("100ns") < duration("101ns")  =>  true
  duration("1µs") == duration("1μs")  =>  true
  duration(".")                       =>  !value
  duration(".s")                      =>  !value
  string(duration("123.321456789s"))  =>  "123.321456789s"
  string(duration("-1ns"))            =>  "-0.000000001s"
  timestamp("2024-05-17T09:30:15.123456Z") == timestamp("2024-05-17T09:30:15.123457Z")  =>  false
  timestamp("2024-05-17T09:30:15.123456Z") < timestamp("2024-05-17T09:30:15.123457Z")  =>  true
  timestamp("2024-05-17T09:30:15.123457Z") - timestamp("2024-05-17T09:30:15.123456Z") == duration("1us")  =>  true
  string(timestamp("9999-12-31T23:59:59.999999999Z"))  =>  "9999-12-31T23:59:59.999999999Z"
  string(timestamp("1969-12-31T23:59:59.5Z"))  =>  "1969-12-31T23:59:59.5Z"
  int(timestamp("1969-12-31T23:59:59.5Z"))  =>  -1
  timestamp("1969-12-31T23:59:59.5Z").getMilliseconds()  =>  500
  timestamp("0050-01-01T00:00:00Z").getFullYear("Europe/Berlin")  =>  50
  timestamp("0001-01-01T00:00:00Z").getFullYear("America/New_York")  =>  0
  timestamp("0001-01-01T00:00:00Z").getSeconds("America/New_York")  =>  58
  timestamp("2024-05-17T09:30:00+23:59")  =>  2024-05-16T09:31:00.000Z
  timestamp("2024-05-17T09:30:00+24:00")  =>  !value
  timestamp("2024-05-17T09:30:00+05:60")  =>  !value
  timestamp(0).getHours("+24:00")     =>  !value
  type(now()) == google.protobuf.Timestamp  =>  true
  now() > timestamp("2020-01-01T00:00:00Z")  =>  true
  `));

describe('comprehensions', () =>
  checkTable(`
  [1, 2].all(n, n > 0)                =>  true
  [1, 2].all(n, n > 1)                =>  false
  [].all(n, n > 1)                    =>  true
  [1, 2].exists(n, n > 1)             =>  true
  [].exists(n, true)                  =>  false
  [1, 2].exists_one(n, n > 1)         =>  true
  [1, 2].exists_one(n, n > 0)         =>  false
  [1, 2].map(n, n * 10)               =>  [10, 20]
  [1, 2, 3].map(n, n > 1, n * 10)     =>  [20, 30]
  [1, 2, 3].filter(n, n > 1)          =>  [2, 3]
  [1, 0].all(n, 1 / n > 0)            =>  !value
  [0, 1].all(n, 1 / n > 1)            =>  false
  [0, 1].exists(n, 1 / n == 1)        =>  true
  [0, 2].exists(n, 1 / n == 1)        =>  !value
  [0, 1].exists_one(n, 1 / n == 1)    =>  !value
  [0, 1].filter(n, 1 / n == 1)        =>  !value
  {"a": 1, "b": 2}.all(k, k != "c")   =>  true
  {"a": 1, "b": 2}.map(k, k)          =>  ["a", "b"]
  {"a": 1, "b": 2}.filter(k, k == "a")  =>  ["a"]
  request.query.map(k, k)             =>  ["a", "b"]
  [[1, 2], [3]].map(l, l.map(n, n + 1))  =>  [[2, 3], [4]]
  [1, 2].map(a, [10, 20].map(b, a * b))  =>  [[10, 20], [20, 40]]
  [1, 2].map(n, n + 1).filter(n, n > 2).exists(n, n == 3)  =>  true
  [1].all(a, [1].all(b, [1].all(c, true)))  =>  ? all() nests more than 2 loops
  [1, 2].map(x, x)                    =>  [1, 2]
  [1, 2].map(x, [x].map(x, x + 1)[0] + x)  =>  [3, 5]
  [1].map(n, n) + [n]                 =>  ? there is no variable "n"
  j.l.map(n, n + 0.5)                 =>  [1.5, 2.5, 3.5]
  j.l.filter(n, n)                    =>  !type
  j.s.map(n, n)                       =>  !type
  j.z.map(n, n)                       =>  !type
  "abc".map(c, c)                     =>  ? map() goes over a list or a map, not over string
  [1].map(1, 2)                       =>  ? map() takes the name of a variable and a value
  [1].all(n, n)                       =>  ? the condition of a loop must be bool, not int
  [1].filter(n)                       =>  ? filter() takes the name of a variable and a condition
  ["a"].all(s, s + 1 == "")           =>  ? "+" does not take string and int
  `));

describe('functions on texts', () =>
  checkTable(String.raw`
  size("abc")                         =>  3
  "a😀".size()                        =>  2
  size(b"abc")                        =>  3
  size([1, 2])                        =>  2
  size({"a": 1})                      =>  1
  size(request.query)                 =>  2
  size(1)                             =>  ? size() does not take (int)
  size(x)                             =>  !type
  "abc".startsWith("ab")              =>  true
  "abc".startsWith("")                =>  true
  "abc".startsWith("b")               =>  false
  "abc".endsWith("bc")                =>  true
  "abc".contains("b")                 =>  true
  "abc".contains("")                  =>  true
  "abc".contains("d")                 =>  false
  "abc".startsWith(1)                 =>  ? startsWith() does not take (string, int)
  "abc".startsWith()                  =>  ? startsWith() takes 1 argument, not 0
  "abc".startsWith(x)                 =>  !type
  startsWith("abc", "a")              =>  ? startsWith() is not called so
  "abc".int()                         =>  ? int() is not called so
  "abc".matches("b")                  =>  true
  "abc".matches("^b")                 =>  false
  "abc".matches("^[a-c]+$")           =>  true
  matches("abc", "a.c")               =>  true
  "abc".matches(r"\d")                =>  false
  "ab1".matches(r"(?i)B\d")           =>  true
  "abc".matches(j.s)                  =>  ? the pattern of matches() must be a literal text
  "abc".matches("(")                  =>  ? the pattern is broken: missing closing ): "("
  "a,b,c".split(",")                  =>  ["a", "b", "c"]
  "a,b,c".split(",", 2)               =>  ["a", "b,c"]
  "a,b,c".split(",", 0)               =>  []
  "a,b,c".split(",", 1)               =>  ["a,b,c"]
  "a,b,c".split(",", -1)              =>  ["a", "b", "c"]
  "a😀".split("")                     =>  ["a", "😀"]
  "abc".split("", 2)                  =>  ["a", "bc"]
  "".split(",")                       =>  [""]
  split("a b", " ")                   =>  ["a", "b"]
  ["a", "b"].join("-")                =>  "a-b"
  ["a", "b"].join()                   =>  "ab"
  [].join(",")                        =>  ""
  join(["a", "b"], ",")               =>  "a,b"
  [1].join(",")                       =>  ? join() does not take (list(int), string)
  j.l.join(",")                       =>  !type
  "hello hello".replace("he", "we")   =>  "wello wello"
  "hello hello".replace("he", "we", 1)  =>  "wello hello"
  "hello".replace("he", "we", 0)      =>  "hello"
  "abc".replace("", "-")              =>  "-a-b-c-"
  "abc".replace("", "-", 2)           =>  "-a-bc"
  "a$b".replace("$", "$$&")           =>  "a$$&b"
  "  a b\t".trim()                    =>  "a b"
  "\u0085\u00a0\u1680a\u2028\u3000".trim()  =>  "a"
  "\ufeffa\u200b\u180e".trim().size()  =>  4
  "tacocat".substring(4)              =>  "cat"
  "tacocat".substring(0, 4)           =>  "taco"
  "a😀b".substring(1, 2)              =>  "😀"
  "abc".substring(4)                  =>  !value
  "abc".substring(-1)                 =>  !value
  "abc".substring(2, 1)               =>  !value
  "hello mellow".indexOf("ello")      =>  1
  "hello mellow".indexOf("ello", 2)   =>  7
  "hello".indexOf("z")                =>  -1
  "😀a".indexOf("a")                  =>  1
  "hello".indexOf("", 3)              =>  3
  "hello".indexOf("h", 9)             =>  !value
  "TacÖCat".lowerAscii()              =>  "tacÖcat"
  "tacöcat".upperAscii()              =>  "TACöCAT"
  base64("hello")                     =>  "aGVsbG8="
  base64(b"\xff")                     =>  "/w=="
  sha256("abc")                       =>  "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
  sha256(b"abc") == sha256("abc")     =>  true
  json({"a": [1, 2.5, null, true, "x"]})  =>  "{\"a\":[1,2.5,null,true,\"x\"]}"
  json(j.big)                         =>  "123456789012345678901234567890"
  json(j.o)                           =>  "{\"constructor\":\"c\",\"__proto__\":\"p\"}"
  json("a\"b")                        =>  "\"a\\\"b\""
  json(0.0 / 0.0)                     =>  !value
  inCidr("10.1.2.3", "10.0.0.0/8")    =>  true
  inCidr("11.1.2.3", ["10.0.0.0/8", "11.1.2.3"])  =>  true
  inCidr(request.ip, "192.0.2.0/24")  =>  true
  inCidr("::1", "::/64")              =>  true
  inCidr("nonsense", "10.0.0.0/8")    =>  false
  inCidr("10.0.0.1", "10.0.0.0/99")   =>  ? the prefix of "10.0.0.0/99" must be 0 to 32
  inCidr("10.0.0.1", [j.s])           =>  !value
  inCidr("10.0.0.1", 1)               =>  ? the ranges of inCidr() are a text or a list of texts, not int
  `));

describe('functions on lists and maps', () =>
  checkTable(`
  [3, 1, 2].sort()                    =>  [1, 2, 3]
  sort(["b", "a"])                    =>  ["a", "b"]
  [2.5, 1].sort()                     =>  [1, 2.5]
  [1, "a"].sort()                     =>  !type
  [].sort()                           =>  []
  [1, 1.0, 2, 1u].distinct()          =>  [1, 2]
  ["a", "b", "a"].distinct()          =>  ["a", "b"]
  [{"a": 1, "b": 2}, {"b": 2, "a": 1}].distinct()  =>  [{"a": 1, "b": 2}]
  [[1], [1], [2]].distinct()          =>  [[1], [2]]
  [1, "1", true, "true"].distinct()   =>  [1, "1", true, "true"]
  [[1, 2], [3], []].flatten()         =>  [1, 2, 3]
  [1, [2, [3]]].flatten()             =>  [1, 2, [3]]
  [1, 2, 3].sum()                     =>  6
  [1, 2.5].sum()                      =>  3.5
  [].sum()                            =>  0
  string([1.5].filter(n, n > 2.0).sum())          =>  "0"
  int("a,b".split(",").filter(n, n == "c").sum()) =>  0
  [duration("1s")].filter(n, false).sum() + 1     =>  1
  sum([1.5])                          =>  1.5
  ["a"].sum()                         =>  !type
  [null].sum()                        =>  !type
  [9223372036854775807, 1].sum()      =>  !value
  merge({"a": 1, "b": 1}, {"b": 2})   =>  {"a": 1, "b": 2}
  {"a": 1}.merge({"c": 3})            =>  {"a": 1, "c": 3}
  merge(j.o, {"x": 1})                =>  {"constructor": "c", "__proto__": "p", "x": 1}
  pick({"a": 1, "b": 2}, ["b", "z"])  =>  {"b": 2}
  omit({"a": 1, "b": 2}, ["b", "z"])  =>  {"a": 1}
  omit(j.o, ["constructor"])          =>  {"__proto__": "p"}
  pick(request.query, ["a"])          =>  {"a": "1"}
  merge({}, 1)                        =>  ? merge() does not take (map, int)
  merge({}, j.l)                      =>  !type
  pick({}, "a")                       =>  ? pick() does not take (map, string)
  `));
