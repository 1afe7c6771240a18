export { compileFamilies, compileMapping, mappingHash } from './compile.ts';
export { type Family, shownFamily } from './family.ts';
export { changeScope, rowScope } from './scope.ts';
export { decimalCell, floatValue, integerValue, jsonValue, paddedCell, uuidValue } from './values.ts';
