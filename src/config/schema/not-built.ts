/**
 * Keys that the documentation names and this version does not build yet, by the object they stand in
 * (the `place` of its schema). Such a key is an error that says so: it is never ignored.
 * Whoever builds one deletes its name here and adds it to the schema.
 */
export const NOT_BUILT: Readonly<Record<string, readonly string[]>> = {};
