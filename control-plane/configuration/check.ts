/** What is wrong with a document, each with the path of its field. */
export interface Problem {
  /** `numbers/main/users[0]`, or a field of one body: `users[0]`; empty for the whole. */
  readonly path: string;
  readonly message: string;
}
