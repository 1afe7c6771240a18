export { compileFamilies, compileMapping, mappingHash } from './compile.ts';
export { type Family, familyOf, shownFamily } from './family.ts';
export { changeScope, rowScope } from './scope.ts';
export { decimalValue, floatValue, integerValue, jsonValue, uuidValue } from './values.ts';
