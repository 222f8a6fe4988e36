/** Nested collections a document may have, aliases expanded. Deeper input is an error, not a full stack. */
export const MAX_DEPTH = 500;

/** Nodes that aliases may add to one document, so that ten lines cannot become a gigabyte. */
export const MAX_ALIAS_NODES = 200_000;
