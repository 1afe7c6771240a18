import { CelType, Duration, hasMembers, Timestamp, Uint, type Value } from './value.ts';

/** What is known of a value when the config is loaded. `dyn` is: nothing. */
export type Type = Plain | ListType | MapType | RecordType;

export type PlainKind =
  | 'dyn'
  | 'null'
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'timestamp'
  | 'duration'
  | 'type';

export interface Plain {
  readonly kind: PlainKind;
}

export interface ListType {
  readonly kind: 'list';
  readonly element: Type;
}

/** `members` are keys whose values have a type of their own; a key that is only known later is then dyn. */
export interface MapType {
  readonly kind: 'map';
  readonly key: Type;
  readonly value: Type;
  readonly members?: Readonly<Record<string, Type>>;
  /** Keys are names of headers: a capital letter in one is a slip. */
  readonly lowerCase?: true;
}

/** A variable with a fixed set of members. To CEL it is a map. */
export interface RecordType {
  readonly kind: 'record';
  readonly members: Readonly<Record<string, Type>>;
}

const plain = (kind: PlainKind): Plain => ({ kind });
export const DYN = plain('dyn');
const NULL = plain('null');
export const BOOL = plain('bool');
export const INT = plain('int');
export const UINT = plain('uint');
export const DOUBLE = plain('double');
export const STRING = plain('string');
export const BYTES = plain('bytes');
export const TIMESTAMP = plain('timestamp');
export const DURATION = plain('duration');
export const TYPE = plain('type');
export const listOf = (element: Type): ListType => ({ kind: 'list', element });
export const mapOf = (key: Type, value: Type): MapType => ({ kind: 'map', key, value });
export const recordOf = (members: Record<string, Type>): RecordType => ({ kind: 'record', members });
export const LIST = listOf(DYN);
export const MAP = mapOf(DYN, DYN);

/** As it is called in messages. */
export function typeText(type: Type): string {
  if (type.kind === 'list') return type.element.kind === 'dyn' ? 'list' : `list(${typeText(type.element)})`;
  if (type.kind === 'map') return 'map';
  return type.kind === 'record' ? 'map' : type.kind;
}

export function isNumeric(type: Type): boolean {
  return type.kind === 'int' || type.kind === 'uint' || type.kind === 'double';
}

/** May a value of type `given` stand where `wanted` is asked for, as far as can be known? */
export function accepts(wanted: Type, given: Type): boolean {
  if (wanted.kind === 'dyn' || given.kind === 'dyn') return true;
  if (wanted.kind === 'list') return given.kind === 'list' && accepts(wanted.element, given.element);
  if (wanted.kind === 'map' || wanted.kind === 'record')
    return given.kind === 'map' || given.kind === 'record';
  return wanted.kind === given.kind;
}

/** Is every value of `given` surely one of `wanted`, so that nothing need be asked at run time? */
export function assures(wanted: Type, given: Type): boolean {
  if (wanted.kind === 'dyn') return true;
  if (wanted.kind === 'list') return given.kind === 'list' && assures(wanted.element, given.element);
  if (wanted.kind === 'map')
    return wanted.value.kind === 'dyn' && (given.kind === 'map' || given.kind === 'record');
  return wanted.kind === given.kind;
}

/** Could values of these types be equal, or stand in one list? Null goes with any, and numbers mix. */
export function comparable(left: Type, right: Type): boolean {
  if (left.kind === 'null' || right.kind === 'null') return true;
  if (isNumeric(left) && isNumeric(right)) return true;
  if (left.kind === 'list' && right.kind === 'list') return comparable(left.element, right.element);
  return accepts(left, right);
}

/** The type of something that is one or the other. */
export function join(left: Type, right: Type): Type {
  if (left.kind !== right.kind) return DYN;
  if (left.kind === 'list' && right.kind === 'list') return listOf(join(left.element, right.element));
  if (
    left.kind === 'map' &&
    right.kind === 'map' &&
    left.members === undefined &&
    right.members === undefined
  ) {
    return mapOf(join(left.key, right.key), join(left.value, right.value));
  }
  return left === right || !('members' in left) ? left : MAP;
}

/** Has this value this type? Elements and members are asked only where the type names one. */
export function isOf(type: Type, value: Value): boolean {
  switch (type.kind) {
    case 'dyn':
      return true;
    case 'null':
      return value === null;
    case 'bool':
      return typeof value === 'boolean';
    case 'int':
      return typeof value === 'bigint';
    case 'uint':
      return value instanceof Uint;
    case 'double':
      return typeof value === 'number';
    case 'string':
      return typeof value === 'string';
    case 'bytes':
      return value instanceof Uint8Array;
    case 'timestamp':
      return value instanceof Timestamp;
    case 'duration':
      return value instanceof Duration;
    case 'type':
      return value instanceof CelType;
    case 'list':
      return (
        Array.isArray(value) &&
        (type.element.kind === 'dyn' || value.every((item) => isOf(type.element, item)))
      );
    default:
      return hasMembers(value);
  }
}

/** The name of a value's type, as `type()` gives it. */
export function typeName(value: Value): string {
  if (value === null) return 'null_type';
  if (typeof value === 'bigint') return 'int';
  if (typeof value === 'number') return 'double';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'string';
  if (value instanceof Uint8Array) return 'bytes';
  if (value instanceof Uint) return 'uint';
  if (value instanceof Timestamp) return 'google.protobuf.Timestamp';
  if (value instanceof Duration) return 'google.protobuf.Duration';
  if (value instanceof CelType) return 'type';
  return Array.isArray(value) ? 'list' : 'map';
}

/** The type a constant has. */
export function typeOfLiteral(value: Value): Type {
  const name = typeName(value);
  return name === 'null_type' ? NULL : plain(name as PlainKind);
}
